import { RefusedError } from '../../../lib/errors.ts';
import type { PatroniOperations } from '../../contract.ts';
import { type ExecTarget, exec } from '../api/exec.ts';
import { PATRONI_FILE } from '../objects/layout.ts';
import { announced } from '../patroni/announce.ts';
import type { PatroniView } from '../patroni/view.ts';
import { wakePatroni } from '../patroni/wake.ts';
import { askSwitchover, type DcsContext, PatroniRefusedError, restartMember } from '../patroni/write.ts';

const COMMAND_MS = 60_000;

interface Means {
  look(signal: AbortSignal): Promise<PatroniView>;
  container(pod: string): ExecTarget;
  dcs(signal: AbortSignal): DcsContext;
}

/** Patroni's operations: in its DCS where it has a word for it there, else by patronictl in the member's pod. */
export function patroniOperations({ look, container, dcs }: Means): PatroniOperations {
  const patronictl = async (pod: string, words: string[], signal: AbortSignal): Promise<void> => {
    const command = ['patronictl', '-c', PATRONI_FILE, ...words];
    const options = { timeoutMs: COMMAND_MS, signal };
    const result = await exec(dcs(signal).client, container(pod), command, options);
    if (result.code === 0) return;
    throw new PatroniRefusedError({
      code: 'patroni-refused',
      message: `Patroni refuses: ${words[0]} of ${pod}`,
      detail: `${result.stdout}\n${result.stderr}`.trim().slice(-1000),
    });
  };
  return {
    switchover: async ({ from, to }, signal) => {
      const { members } = await look(signal);
      const best =
        to ??
        members.find(member => member.well && member.synchronous)?.name ??
        members.find(member => member.well && member.name !== from)?.name;
      if (best === undefined) {
        throw new RefusedError({ code: 'no-candidate', message: 'no standby can take over now' });
      }
      await askSwitchover(from, best, dcs(signal));
      await wakePatroni(dcs(signal));
    },
    failover: ({ to }, signal) => patronictl(to, ['failover', '--candidate', to, '--force'], signal),
    restart: (member, signal) => {
      const { client, cluster } = dcs(signal);
      return announced(container(member), { client, signal }, () =>
        restartMember(container(member), cluster, { client, signal }),
      );
    },
    reinitialise: (member, signal) =>
      patronictl(member, ['reinit', dcs(signal).cluster, member, '--force'], signal),
  };
}
