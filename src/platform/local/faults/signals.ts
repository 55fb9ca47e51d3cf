/** A signal to one process of a member. */
import type { ProcessName } from '../../../core/drill/fault.ts';
import { roleInTitle, SENDER, VICTIM } from '../../../engine/postgres/processes.ts';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import type { ProcessId } from '../../../lib/process.ts';
import { serviceStatus } from '../runit.ts';
import type { FaultContext, FaultOf, Injector } from './injector.ts';
import { memberObstacle, openInside, postgresOf } from './members.ts';
import { identify, postmasterOf, send } from './processes.ts';

export const signals: Injector<FaultOf<'signal'>> = {
  async obstacle({ member, process }, context, signal) {
    const unknown = await memberObstacle(member, context);
    if (unknown !== undefined) return unknown;
    if (process !== 'patroni' && (await postmasterOf(context.paths, member)) === undefined) {
      return `PostgreSQL of ${member} does not run`;
    }
    // Sessions come with the load.
    if (process === 'backend') return undefined;
    const found = await find(process, member, context, signal).catch((error: unknown) => messageOf(error));
    if (typeof found === 'string') return found;
    return found === undefined ? missing(process, member) : undefined;
  },

  async prepare({ member, process: name, signal: what }, context, signal) {
    const victim = await find(name, member, context, signal);
    if (victim === undefined) {
      throw new PgherdError({
        code: 'no-such-process',
        message: missing(name, member),
        hint: 'the cluster has to be whole before it is broken: see `pgherd status`',
      });
    }
    return {
      description: `SIG${what} to ${name} ${victim.pid} of ${member}`,
      weaker: undefined,
      undo: what === 'STOP' ? [{ kind: 'continue', processes: [victim] }] : [],
      async act(done) {
        if ((await send([victim], `SIG${what}`)) === 0) {
          throw new PgherdError({
            code: 'no-such-process',
            message: `process ${victim.pid} ended before that`,
          });
        }
        done();
      },
    };
  },
};

async function find(
  name: ProcessName,
  member: string,
  context: FaultContext,
  signal: AbortSignal,
): Promise<ProcessId | undefined> {
  switch (name) {
    case 'patroni':
      return await identify((await serviceStatus(context.paths.services, member)).pid);
    case 'postmaster':
      return await postmasterOf(context.paths, member);
    case 'backend':
      return await chosenBy(VICTIM, member, context, signal);
    case 'walsender':
      return await chosenBy(SENDER, member, context, signal);
    default: {
      const children = await postgresOf(member, context);
      const found = children.find(({ title }) => roleInTitle(title, context.record.name) === name);
      return found === undefined ? undefined : { pid: found.pid, startTime: found.startTime };
    }
  }
}

/** The first process that PostgreSQL itself names, held to what /proc says. */
async function chosenBy(
  query: string,
  member: string,
  context: FaultContext,
  signal: AbortSignal,
): Promise<ProcessId | undefined> {
  await using session = await openInside(member, context, signal);
  const rows = await session.query(query);
  const children = await postgresOf(member, context);
  for (const row of rows) {
    const found = children.find(({ pid }) => pid === row.pid);
    if (found !== undefined) return { pid: found.pid, startTime: found.startTime };
  }
  return undefined;
}

function missing(name: ProcessName, member: string): string {
  switch (name) {
    case 'backend':
      return `no client has a session on ${member}`;
    case 'walsender':
      return `${member} feeds no standby`;
    case 'walreceiver':
    case 'startup':
      return `${member} has no ${name} now: it is no standby that follows a primary`;
    default:
      return `${member} has no ${name} now`;
  }
}
