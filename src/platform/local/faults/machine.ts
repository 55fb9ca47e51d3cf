/** Everything of the cluster ends at once, as when the machine loses its power. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../layout.ts';
import { listServices } from '../runit.ts';
import { STILL_WRITTEN } from './hosts.ts';
import type { FaultContext, FaultOf, Injector } from './injector.ts';
import {
  allProcesses,
  type FoundProcess,
  notedProcess,
  supervisorsAt,
  untilGone,
  withDescendants,
  withoutOurselves,
} from './processes.ts';
import { keeperProcesses, serversOf, strike } from './supervised.ts';

export const powerOffAll: Injector<FaultOf<'power-off-all'>> = {
  async obstacle() {
    return undefined;
  },

  async prepare(_fault, context) {
    const { record } = context;
    const victims = await everything(context);
    return {
      description: `SIGKILL to all ${victims.length} processes of ${record.name}, its supervisor and the control plane; sockets and pid files are gone as after a reboot; \`pgherd up\` brings it back`,
      weaker: STILL_WRITTEN,
      undo: [],
      async act(done, signal) {
        // What a supervisor started before it was hit is found by the next look.
        for (let found = await everything(context); found.length > 0; found = await everything(context)) {
          await strike(found, done);
          await untilGone(found, 'everything to be dead', signal);
        }
        await clearRuntime(context.paths);
      },
    };
  },
};

/** All processes: whoever starts others comes first. */
async function everything(context: FaultContext): Promise<FoundProcess[]> {
  const { paths } = context;
  const all = await allProcesses();
  const tini = await notedProcess(join(paths.root, 'supervisor.json'));
  const supervisors = await supervisorsAt([paths.services, paths.logs], all);
  const servers = await serversOf(await listServices(paths.services), context);
  const below = withDescendants(
    [tini?.pid, ...supervisors.map(({ pid }) => pid)].filter(pid => pid !== undefined),
    all,
  );
  const chosen = new Map<number, FoundProcess>();
  for (const one of [...(await keeperProcesses(context, all)), ...supervisors, ...below, ...servers]) {
    chosen.set(one.pid, one);
  }
  return withoutOurselves([...chosen.values()], all);
}

/** Sockets, pid files and what the control plane noted in passing; directories stay. */
async function clearRuntime({ run }: Paths): Promise<void> {
  for (const entry of await readdir(run, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) await rm(join(entry.parentPath, entry.name), { force: true });
  }
}
