/** Servers beside the members end; servers stay down; what watches over them ends. */
import { join } from 'node:path';
import { PgherdError } from '../../../lib/errors.ts';
import { componentKind } from '../layout.ts';
import { leaveDown, serviceStatus } from '../runit.ts';
import type { FaultContext, FaultOf, Injector } from './injector.ts';
import { serverObstacle } from './members.ts';
import {
  allProcesses,
  type FoundProcess,
  identify,
  notedProcess,
  postmasterOf,
  send,
  serviceProcesses,
  supervisorsAt,
  untilGone,
  withDescendants,
  withoutOurselves,
} from './processes.ts';

export const killServer: Injector<FaultOf<'kill-server'>> = {
  async obstacle({ component }, context) {
    const unknown = await serverObstacle(component, context);
    if (unknown !== undefined) return unknown;
    if (componentKind(component) === 'member') {
      return `${component} is a member: name the process that is to be hit, or power the member off`;
    }
    const { pid } = await serviceStatus(context.paths.services, component);
    return pid === undefined ? `${component} does not run` : undefined;
  },

  async prepare({ component }, context) {
    const server = await identify((await serviceStatus(context.paths.services, component)).pid);
    if (server === undefined) {
      throw new PgherdError({ code: 'no-such-process', message: `${component} does not run` });
    }
    return {
      description: `SIGKILL to ${component} (${server.pid})`,
      weaker: undefined,
      undo: [],
      async act(done, signal) {
        // HAProxy's worker would serve on for a moment.
        const all = withDescendants([server.pid], await allProcesses());
        await strike(all, done);
        await untilGone([server], `${component} to be dead`, signal);
      },
    };
  },
};

export const holdDown: Injector<FaultOf<'hold-down'>> = {
  async obstacle({ components }, context) {
    if (components.length === 0) return 'no server was named';
    for (const component of components) {
      const unknown = await serverObstacle(component, context);
      if (unknown !== undefined) return unknown;
    }
    return undefined;
  },

  async prepare({ components }, context) {
    const victims = await serversOf(components, context);
    return {
      description: `SIGKILL to ${components.join(', ')} (${victims.length} processes), and runit leaves them down`,
      weaker: undefined,
      undo: [{ kind: 'take-up', services: components }],
      act: (done, signal) => endAndHold(components, context, done, signal),
    };
  },
};

/** Ends everything of these services at once and keeps runit from starting it again. */
export async function endAndHold(
  services: string[],
  context: FaultContext,
  done: () => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(services.map(name => leaveDown(context.paths.services, name, signal)));
  // What was being started meanwhile is found by the next look.
  for (;;) {
    const found = await serversOf(services, context);
    if (found.length === 0) return;
    await strike(found, done);
    await untilGone(found, `${services.join(', ')} to be dead`, signal);
  }
}

/** Processes of services, runit's own left out. A member's are Patroni and all of PostgreSQL. */
export async function serversOf(services: string[], { paths }: FaultContext): Promise<FoundProcess[]> {
  const own = await Promise.all(services.map(name => serviceProcesses(paths, name)));
  const members = services.filter(name => componentKind(name) === 'member');
  const postmasters = await Promise.all(members.map(name => postmasterOf(paths, name)));
  const roots = [...own.flat(), ...postmasters].map(id => id?.pid).filter(pid => pid !== undefined);
  return withDescendants(roots, await allProcesses());
}

/** SIGKILL to all of them in one go; those that have ended by themselves are none the worse. */
export async function strike(victims: FoundProcess[], done: () => void): Promise<void> {
  if (await send(victims, 'SIGKILL')) done();
}

export const killControlPlane: Injector<FaultOf<'kill-control-plane'>> = {
  async obstacle(_fault, context) {
    return (await controlPlane(context)).length === 0 ? 'the control plane does not run' : undefined;
  },

  async prepare(_fault, context) {
    const victims = await controlPlane(context);
    return {
      description: `SIGKILL to the control plane and to the supervisor of the servers (processes ${victims.map(({ pid }) => pid).join(', ')})`,
      weaker: undefined,
      undo: [{ kind: 'control-plane' }],
      async act(done, signal) {
        await strike(victims, done);
        await untilGone(victims, 'the control plane to be dead', signal);
      },
    };
  },
};

/**
 * The keeper with all that would start it again, and tini and runsvdir above the servers: whoever starts others
 * comes first. The servers' own runsv live on, as they do when their runsvdir dies.
 */
async function controlPlane(context: FaultContext): Promise<FoundProcess[]> {
  const { paths } = context;
  const all = await allProcesses();
  const tini = await notedProcess(join(paths.root, 'supervisor.json'));
  const above = all.filter(
    ({ pid, parent, title }) =>
      tini !== undefined && (pid === tini.pid || (parent === tini.pid && /^(\S*\/)?runsvdir /.test(title))),
  );
  return withoutOurselves([...(await keeperProcesses(context, all)), ...above], all);
}

/** Everything of the resident control plane, its runsvdir first. */
export async function keeperProcesses(
  { stateDir }: FaultContext,
  all: FoundProcess[],
): Promise<FoundProcess[]> {
  const services = join(stateDir, 'services');
  const supervisors = await supervisorsAt([services, join(stateDir, 'log')], all);
  const noted = await notedProcess(join(stateDir, 'keeper.json'));
  const { pid } = await serviceStatus(services, 'keeper');
  const roots = [noted?.pid, ...supervisors.map(one => one.pid), pid].filter(one => one !== undefined);
  return withDescendants(roots, all);
}
