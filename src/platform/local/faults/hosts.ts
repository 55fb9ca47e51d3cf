/** A member's host (the member and the voter beside it) loses its power, or stands still. */
import { join } from 'node:path';
import type { ProcessId } from '../../../lib/process.ts';
import { freeze as freezeGroup, gather, groupOf, isGroup, makeGroup, usableFreezer } from './cgroup.ts';
import type { FaultContext, FaultOf, Injector, Prepared } from './injector.ts';
import { memberObstacle, servicesOfHost } from './members.ts';
import { linkDown } from './network.ts';
import { allProcesses, type FoundProcess, send, supervisorsAt } from './processes.ts';
import { endAndHold, serversOf } from './supervised.ts';

/** No process can take back what the kernel has been given. */
export const STILL_WRITTEN =
  'what was written but not yet synced to disk is not lost, because this machine itself goes on';

export const powerOff: Injector<FaultOf<'power-off'>> = {
  async obstacle({ member }, context, signal) {
    const unknown = await memberObstacle(member, context);
    if (unknown !== undefined || !context.record.isolated) return unknown;
    return await linkDown.obstacle({ kind: 'link-down', member }, context, signal);
  },

  async prepare({ member }, context, signal) {
    const services = await servicesOfHost(member, context);
    const victims = await serversOf(services, context);
    const { isolated } = context.record;
    const link = isolated
      ? await linkDown.prepare({ kind: 'link-down', member }, context, signal)
      : undefined;
    const killed = `SIGKILL to all ${victims.length} processes of ${member}'s host (${services.join(', ')}), which stay away`;
    return {
      description: link === undefined ? killed : `${link.description}, and ${killed}`,
      weaker: isolated ? STILL_WRITTEN : `${STILL_WRITTEN}; ${RESET}`,
      undo: [...(link?.undo ?? []), { kind: 'take-up', services }],
      // The network first: nobody is told that connections have ended.
      async act(done, actSignal) {
        await link?.act(done, actSignal);
        await endAndHold(services, context, done, actSignal);
      },
    };
  },
};

const RESET =
  "connections are reset, not silent, because the members share this machine's network: make the cluster with --isolate";

export const freeze: Injector<FaultOf<'freeze'>> = {
  async obstacle({ member }, context) {
    const unknown = await memberObstacle(member, context);
    if (unknown !== undefined) return unknown;
    const freezer = await usableFreezer();
    if (freezer !== undefined && (await isGroup(join(freezer.root, groupName(member, context))))) {
      return `the host of ${member} is frozen already`;
    }
    return undefined;
  },

  async prepare({ member }, context): Promise<Prepared> {
    const services = await servicesOfHost(member, context);
    const victims = await everythingOf(services, context);
    const whose = `all ${victims.length} processes of ${member}'s host (${services.join(', ')})`;
    const freezer = await usableFreezer();
    if (freezer === undefined) return stopped(whose, victims);
    const group = join(freezer.root, groupName(member, context));
    const home = await groupOf(victims[0]?.pid ?? process.pid, freezer);
    return {
      description: `the freezer of the kernel holds ${whose}; the kernel goes on acknowledging what they are sent`,
      weaker: undefined,
      undo: [{ kind: 'thaw', cgroup: group, home }],
      async act(done, signal) {
        await makeGroup(group);
        const find = async () => (await everythingOf(services, context)).map(({ pid }) => pid);
        await gather(group, find, signal);
        await freezeGroup(group, freezer.version, done, signal);
      },
    };
  },
};

/** Where groups cannot be frozen. */
function stopped(whose: string, victims: ProcessId[]): Prepared {
  const processes = victims.map(({ pid, startTime }) => ({ pid, startTime }));
  return {
    description: `SIGSTOP to ${whose}`,
    weaker:
      'there is no freezer (cgroup) here that this user may write to: the processes were stopped one after the other, not all at once',
    undo: [{ kind: 'continue', processes }],
    async act(done) {
      if ((await send(processes, 'SIGSTOP')) > 0) done();
    },
  };
}

/** Servers and what watches over them: supervisors first, so that nothing is started while the rest is stopped. */
async function everythingOf(services: string[], context: FaultContext): Promise<FoundProcess[]> {
  const { paths } = context;
  const places = services.flatMap(name => [join(paths.services, name), join(paths.logs, name)]);
  const supervisors = await supervisorsAt(places, await allProcesses());
  const servers = await serversOf(services, context);
  return [...supervisors, ...servers.filter(({ pid }) => !supervisors.some(other => other.pid === pid))];
}

function groupName(member: string, { record }: FaultContext): string {
  return `pgherd-${record.uid.slice(0, 8)}-${member}`;
}
