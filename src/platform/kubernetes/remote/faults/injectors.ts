/** What each fault does to pods. Looking changes nothing; what cannot be done from outside is told in a sentence. */
import type { Fault, FaultKind } from '../../../../core/drill/fault.ts';
import { RefusedError } from '../../../../lib/errors.ts';
import type { KubeClient } from '../../api/client.ts';
import { ApiUnreachableError } from '../../api/errors.ts';
import { DATA_DIRECTORY } from '../../objects/layout.ts';
import { poolerNames } from '../../objects/names.ts';
import { type MemberView, type PatroniView, primaryOf } from '../../patroni/view.ts';
import {
  findProcess,
  mustRun,
  noSuchProcess,
  ProcessEndedError,
  type RunInside,
  strike,
} from './processes.ts';
import type { UndoStep } from './schema.ts';

export interface FaultContext {
  client: KubeClient;
  cluster: string;
  namespace: string;
  look(signal: AbortSignal): Promise<PatroniView>;
  run: RunInside;
  runInPooler: RunInside;
  /** Pods of a pooler that run. */
  poolerPods(pooler: string, signal: AbortSignal): Promise<string[]>;
}

export interface Prepared {
  description: string;
  weaker: string | undefined;
  undo: UndoStep[];
  act(signal: AbortSignal): Promise<void>;
}

type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

const NODE = 'a node is not switched off from here';

/** Not to be had with the rights of a person's command. */
const REFUSALS: Partial<Record<FaultKind, string>> = {
  'power-off': `${NODE}: switch it off yourself, or delete the pod (drill B5)`,
  'power-off-all': `${NODE}, and neither are all of them: switch them off yourself`,
  freeze: 'a pod cannot be frozen from outside: stop a process of it (drills A3, A6)',
  cut: 'packets of a pod cannot be dropped from outside: its kernel belongs to the node',
  'link-down': 'the network of a pod cannot be taken down from outside: its kernel belongs to the node',
  'forget-connections': 'packets of a pod cannot be dropped from outside: its kernel belongs to the node',
  'fill-volume': 'the volume of a pod may be a directory of its node: filling it would hit others',
  'freeze-volume': 'the volume of a pod cannot be frozen from outside: its kernel belongs to the node',
  'lose-data': 'data of a pod are not taken away from here: delete its volume and its pod with kubectl',
  'hold-down': 'servers beside the members do not stay down: Kubernetes starts them again',
  'kill-control-plane':
    'the operator runs elsewhere, and no query passes through it: kubectl delete pod in its namespace',
  'break-repository': 'there are no repositories to be broken from here',
};

/** Why a fault cannot be injected now; undefined: it can. */
export async function obstacleOf(
  fault: Fault,
  context: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const refusal = REFUSALS[fault.kind];
  if (refusal !== undefined) return refusal;
  if (fault.kind === 'kill-server') return poolerObstacle(fault, context, signal);
  if (!('member' in fault)) return 'this fault is not known here';
  const view = await context.look(signal);
  const member = view.members.find(({ name }) => name === fault.member);
  if (member === undefined) {
    const known = view.members.map(({ name }) => name).join(', ');
    return `${context.cluster} has no member ${fault.member}; its members: ${known}`;
  }
  switch (fault.kind) {
    case 'signal':
      return signalObstacle(fault, context, signal);
    case 'pause-replay':
    case 'promote':
      return standbyObstacle(member, view);
    default:
      return undefined;
  }
}

/** Finds the victim. Rejects with a PgherdError where there is none. */
export async function prepare(fault: Fault, context: FaultContext, signal: AbortSignal): Promise<Prepared> {
  switch (fault.kind) {
    case 'signal':
      return signalProcess(fault, context, signal);
    case 'kill-server':
      return killPooler(fault, context, signal);
    case 'delete-pod':
      return deletePod(fault, context, signal);
    case 'pause-replay':
      return pauseReplay(fault, context);
    case 'promote':
      return promote(fault, context);
    default:
      throw new RefusedError({ code: 'no-such-fault', message: REFUSALS[fault.kind] ?? 'not known here' });
  }
}

async function signalObstacle(
  { member, process, signal: what }: FaultOf<'signal'>,
  { run, cluster }: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (process === 'patroni' && what === 'KILL')
    return 'the end of Patroni is the end of its container, PostgreSQL included: delete the pod (drill B5)';
  // Sessions come with the load.
  if (process === 'backend') return undefined;
  const found = await findProcess(run, { cluster, member }, process, signal);
  return found === undefined ? noSuchProcess(process, member).message : undefined;
}

function standbyObstacle({ name, role, well }: MemberView, view: PatroniView): string | undefined {
  if (role === 'standby' && well) return undefined;
  if (primaryOf(view)?.name === name) return `${name} is no standby: choose another member`;
  return `${name} is no standby that follows the primary now`;
}

async function poolerObstacle(
  { component }: FaultOf<'kill-server'>,
  { cluster, poolerPods }: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = Object.values(poolerNames(cluster));
  if (!names.includes(component))
    return `${cluster} has no pooler ${component}; it may have ${names.join(', ')}`;
  return (await poolerPods(component, signal)).length === 0 ? `no pod of ${component} runs` : undefined;
}

async function signalProcess(
  { member, process: name, signal: what }: FaultOf<'signal'>,
  { run, cluster, look }: FaultContext,
  signal: AbortSignal,
): Promise<Prepared> {
  const [process, view] = await Promise.all([
    findProcess(run, { cluster, member }, name, signal),
    look(signal),
  ]);
  const uid = view.members.find(one => one.name === member)?.uid;
  if (process === undefined || uid === undefined) throw noSuchProcess(name, member);
  const { pid, startTime } = process;
  return {
    description: `SIG${what} to ${name} ${pid} in the pod ${member}`,
    weaker: undefined,
    undo: what === 'STOP' ? [{ kind: 'continue', member, uid, process: { pid, startTime } }] : [],
    act: inner => strike(run, member, process, what, inner),
  };
}

async function killPooler(
  { component }: FaultOf<'kill-server'>,
  { runInPooler, poolerPods }: FaultContext,
  signal: AbortSignal,
): Promise<Prepared> {
  const [pod, ...others] = await poolerPods(component, signal);
  if (pod === undefined)
    throw new RefusedError({ code: 'no-such-pod', message: `no pod of ${component} runs` });
  return {
    description: `SIGKILL to PgBouncer in the pod ${pod}`,
    weaker: others.length === 0 ? undefined : `${others.length} other of its pods go on`,
    undo: [],
    async act(inner) {
      // Everything but PID 1, which ends with its only child.
      const words = ['sh', '-c', 'kill -KILL -1'];
      // Its container ends with it, and may take our command along.
      await runInPooler(pod, words, inner).catch(error => {
        if (!(error instanceof ApiUnreachableError)) throw error;
      });
    },
  };
}

async function deletePod(
  { member }: FaultOf<'delete-pod'>,
  { client, namespace, look }: FaultContext,
  signal: AbortSignal,
): Promise<Prepared> {
  const uid = (await look(signal)).members.find(({ name }) => name === member)?.uid;
  return {
    description: `the pod ${member} was deleted`,
    weaker: undefined,
    undo: [],
    act: inner => client.remove({ kind: 'Pod', namespace, name: member }, { uid }, inner),
  };
}

function pauseReplay({ member }: FaultOf<'pause-replay'>, { run }: FaultContext): Prepared {
  const query = 'SELECT pg_wal_replay_pause()';
  return {
    description: `pg_wal_replay_pause() on ${member}`,
    weaker: undefined,
    undo: [{ kind: 'replay', member }],
    act: async signal => void (await mustRun(run, member, psql(query), signal)),
  };
}

function promote({ member }: FaultOf<'promote'>, { run }: FaultContext): Prepared {
  const words = ['pg_ctl', 'promote', '--no-wait', '--pgdata', DATA_DIRECTORY];
  return {
    description: `pg_ctl promote on ${member}, behind Patroni's back`,
    weaker: undefined,
    undo: [],
    act: async signal => void (await mustRun(run, member, words, signal)),
  };
}

/** CASE evaluates the function only where it is allowed. */
const RESUME = 'SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume()::text END';

/** Carries out one step of an undo; may be repeated. Resolves with what it did; undefined: nothing was left to do. */
export async function undoStep(
  step: UndoStep,
  { run, look }: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const view = await look(signal);
  const member = view.members.find(({ name }) => name === step.member);
  if (member === undefined) return undefined;
  if (step.kind === 'replay') {
    await mustRun(run, step.member, psql(RESUME), signal);
    return `${step.member} replays again`;
  }
  if (member.uid !== step.uid) return undefined;
  try {
    await strike(run, step.member, step.process, 'CONT', signal);
    return `process ${step.process.pid} in the pod ${step.member} goes on`;
  } catch (error) {
    if (error instanceof ProcessEndedError) return undefined;
    throw error;
  }
}

function psql(query: string): string[] {
  return ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'postgres', '-c', query];
}
