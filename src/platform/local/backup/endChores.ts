/** Ending the backup work that the control plane has under way for a cluster that is being stopped. */
import { readdir, readFile } from 'node:fs/promises';
import { isAlive, type ProcessId, startTimeOf } from '../../../lib/process.ts';
import { poll } from '../../../lib/time.ts';
import type { ClusterRef } from '../../contract.ts';

/** A backup tidies up behind itself, a scratch server has to stop. */
const GRACE_MS = 20_000;

/** Ends the processes that do chores for this cluster, and waits until they have taken back what was half done. */
export async function endChores(stateDir: string, ref: ClusterRef, signal: AbortSignal): Promise<void> {
  for (const id of await choresOf(stateDir, ref)) {
    kill(id, 'SIGTERM');
    await poll(async () => ((await isAlive(id)) ? undefined : true), {
      what: 'backup work to end',
      timeoutMs: GRACE_MS,
      everyMs: 50,
      signal,
    }).catch(() => kill(id, 'SIGKILL'));
    signal.throwIfAborted();
  }
}

/** As src/main.ts starts them: `… --state-dir DIR chores NAME --namespace NAMESPACE`. */
async function choresOf(stateDir: string, { name, namespace }: ClusterRef): Promise<ProcessId[]> {
  const words = ['--state-dir', stateDir, 'chores', name, '--namespace', namespace];
  const wanted = `${words.map(word => `\0${word}`).join('')}\0`;
  const found: ProcessId[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const pid = Number(entry);
    if (!command.endsWith(wanted)) continue;
    const startTime = await startTimeOf(pid);
    if (startTime !== undefined) found.push({ pid, startTime });
  }
  return found;
}

function kill({ pid }: ProcessId, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in the meantime, which is what was wanted.
  }
}
