/** The faults of drills, injected into a baseline. */
import type { Fault } from '../../src/core/drill/fault.ts';
import type { Faults, Injection } from '../../src/platform/contract.ts';
import { send } from '../../src/platform/local/faults/processes.ts';
import type { Baseline } from './baseline.ts';
import { dataOf, hostOf, volumeOf } from './layout.ts';
import { freeze, thaw } from './volumes.ts';

type Act = { description: string; undo(): Promise<void> };

export function faultsOn(baseline: Baseline): Faults {
  return {
    async obstacle(fault) {
      return injectorOf(fault, baseline) === undefined
        ? `baselines know no fault of the kind ${fault.kind}`
        : undefined;
    },
    async inject(fault): Promise<Injection> {
      const act = injectorOf(fault, baseline);
      if (act === undefined) throw new Error(`baselines know no fault of the kind ${fault.kind}`);
      let at = 0;
      const done = () => {
        at = performance.timeOrigin + performance.now();
      };
      const { description, undo } = await act(done);
      let undone = false;
      return {
        at,
        description,
        weaker: undefined,
        async undo() {
          if (undone) return;
          undone = true;
          await undo();
        },
      };
    },
    registered: async () => [],
    undo: async () => [],
  };
}

/** `done` is to be called when the first act has been done. undefined: a fault that is not offered. */
function injectorOf(fault: Fault, baseline: Baseline): ((done: () => void) => Promise<Act>) | undefined {
  const { network } = baseline;
  switch (fault.kind) {
    case 'signal':
      return ['postmaster', 'patroni'].includes(fault.process)
        ? done => signalServer(fault, baseline, done)
        : undefined;
    case 'kill-server':
      return done => killServer(fault.component, baseline, done);
    case 'power-off':
      return done => powerOff(fault.member, baseline, done);
    case 'link-down':
      return async done => {
        const host = hostOf(fault.member);
        await network.setLink(host, 'down');
        done();
        return { description: `link of ${fault.member} down`, undo: () => network.setLink(host, 'up') };
      };
    case 'freeze-volume': {
      const volume = volumeOf(baseline.ground.directory, hostOf(fault.member));
      return async done => {
        await freeze(volume);
        done();
        return { description: `no write to the volume of ${fault.member} ends`, undo: () => thaw(volume) };
      };
    }
    case 'cut': {
      if (fault.peers !== 'everyone') return undefined;
      const { member, direction } = fault;
      return async done => {
        await network.cut(hostOf(member), direction === 'both' ? ['outgoing', 'incoming'] : [direction]);
        done();
        return {
          description: `packets of ${member} dropped, ${direction}`,
          undo: () => network.heal(hostOf(member)),
        };
      };
    }
    default:
      return undefined;
  }
}

async function signalServer(
  { member, process: name, signal }: Extract<Fault, { kind: 'signal' }>,
  { hosts, tools, ground }: Baseline,
  done: () => void,
): Promise<Act> {
  const host = hostOf(member);
  const data = `-D ${dataOf(ground.directory, host)}`;
  const chosen = (title: string) =>
    name === 'postmaster'
      ? title.startsWith(tools.postgres.binDir) && title.includes(data)
      : title.startsWith(tools.patroni.argv.join(' '));
  const victim = await hosts[host]?.signal(({ title }) => chosen(title), `SIG${signal}`);
  done();
  return {
    description: `SIG${signal} to ${name} of ${member}`,
    async undo() {
      if (signal === 'STOP' && victim !== undefined) await send([victim], 'SIGCONT');
    },
  };
}

async function killServer(
  component: string,
  { hosts, front, tools }: Baseline,
  done: () => void,
): Promise<Act> {
  const { etcd, haproxy, pgbouncer } = tools;
  const [host, program, part] = component.startsWith('etcd-')
    ? [hosts[hostOf(component)], etcd.path, '']
    : component === 'proxy'
      ? [front, haproxy.path, '']
      : [front, pgbouncer.path, `/${component}.ini`];
  await host?.signal(({ title }) => title.startsWith(program) && title.includes(part), 'SIGKILL');
  done();
  return { description: `SIGKILL to ${component}`, undo: async () => {} };
}

/** The link first: a host without power sends no farewell. */
async function powerOff(member: string, { hosts, network }: Baseline, done: () => void): Promise<Act> {
  const n = hostOf(member);
  await network.setLink(n, 'down');
  done();
  await hosts[n]?.powerOff();
  return {
    description: `link of ${member}'s host down, all its processes killed`,
    async undo() {
      await network.setLink(n, 'up');
      hosts[n]?.start();
    },
  };
}
