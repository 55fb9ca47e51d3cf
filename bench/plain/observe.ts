/** What a baseline shows of itself, in the words that drills and verdicts read. */
import type {
  ComponentObservation,
  DynamicConfig,
  MemberObservation,
  Observation,
} from '../../src/core/topology/observation.ts';
import type { Baseline } from './baseline.ts';
import { addressOf, HOSTS, memberOf, PORTS, SCOPE, voterOf } from './layout.ts';

const ANSWER_MS = 2_000;

interface Status {
  state: string;
  role: string;
  timeline?: number;
  replication_state?: string;
  xlog?: { location?: number; received_location?: number | null; replayed_location?: number | null };
}

export async function observe(baseline: Baseline, signal: AbortSignal): Promise<Observation> {
  const [statuses, synchronous, config, healthy, components] = await Promise.all([
    Promise.all(HOSTS.map(n => ask<Status>(addressOf(n), PORTS.patroni, '/patroni', signal))),
    synchronousStandbys(signal),
    firstOf<DynamicConfig>('/config', signal),
    Promise.all(HOSTS.map(n => isHealthy(n, signal))),
    componentsOf(baseline),
  ]);
  const head = statuses.find(status => status !== undefined && roleOf(status) === 'primary')?.xlog?.location;
  return {
    observedAt: new Date().toISOString(),
    exists: true,
    stopped: false,
    components,
    members: statuses.map((status, n) => memberFrom(n, status, head, synchronous.includes(memberOf(n)))),
    dcs: { voters: HOSTS.length, healthyVoters: healthy.filter(Boolean).length },
    config,
    catalog: undefined,
    endpoints: {},
    controlPlane: undefined,
    version: { wanted: '', actual: '' },
  };
}

/** Who holds the leader key, as the first voter with a quorum behind it says. */
export async function readLeader(signal: AbortSignal): Promise<string | undefined> {
  const key = Buffer.from(`/service/${SCOPE}/leader`).toString('base64');
  return await Promise.any(
    HOSTS.map(async n => {
      const answer = await fetch(`http://${addressOf(n)}:${PORTS.etcdClient}/v3/kv/range`, {
        method: 'POST',
        body: JSON.stringify({ key }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]),
      });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const { kvs } = (await answer.json()) as { kvs?: { value: string }[] };
      const value = kvs?.[0]?.value;
      return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
    }),
  );
}

function memberFrom(
  host: number,
  status: Status | undefined,
  head: number | undefined,
  synchronous: boolean,
): MemberObservation {
  const role = status === undefined ? 'unknown' : roleOf(status);
  const behind = (position: number | null | undefined) =>
    head === undefined || position === undefined || position === null
      ? undefined
      : Math.max(0, head - position);
  const { received_location: received, replayed_location: replayed } = status?.xlog ?? {};
  return {
    name: memberOf(host),
    role,
    state: status === undefined ? 'lost' : stateOf(status),
    timeline: status?.timeline,
    lagBytes: role === 'primary' ? 0 : behind(Math.max(received ?? 0, replayed ?? 0)),
    replayLagBytes: role === 'primary' ? 0 : behind(replayed),
    lagSeconds: undefined,
    synchronous,
    pendingRestart: false,
    address: addressOf(host),
    port: PORTS.postgres,
    since: undefined,
    problem: undefined,
  };
}

function roleOf({ role, state }: Status): MemberObservation['role'] {
  if (['primary', 'master'].includes(role)) return state === 'running' ? 'primary' : 'unknown';
  return role === 'replica' ? 'standby' : 'unknown';
}

function stateOf(status: Status): MemberObservation['state'] {
  if (status.state === 'running' || status.state === 'streaming') {
    const streams = status.state === 'streaming' || status.replication_state === 'streaming';
    return roleOf(status) === 'standby' && streams ? 'streaming' : 'running';
  }
  if (status.state.includes('fail') || status.state === 'crashed') return 'failed';
  return status.state.startsWith('stop') ? 'stopped' : 'starting';
}

async function componentsOf({ hosts, front, tools }: Baseline): Promise<ComponentObservation[]> {
  const component = (name: string, kind: ComponentObservation['kind'], running: boolean) =>
    ({
      name,
      kind,
      running,
      since: undefined,
      outdated: 'no',
      differences: [],
    }) satisfies ComponentObservation;
  const runs = async (program: string, part: string) =>
    (await front.find(({ title }) => title.startsWith(program) && title.includes(part))) !== undefined;
  const [proxy, pooler, poolerStandby] = await Promise.all([
    runs(tools.haproxy.path, ''),
    runs(tools.pgbouncer.path, 'pooler.ini'),
    runs(tools.pgbouncer.path, 'poolerStandby.ini'),
  ]);
  return [
    ...hosts.map((host, n) => component(voterOf(n), 'etcd', host.running)),
    ...hosts.map((host, n) => component(memberOf(n), 'member', host.running)),
    component('proxy', 'proxy', proxy),
    component('pooler', 'pooler', pooler),
    component('poolerStandby', 'poolerStandby', poolerStandby),
  ];
}

async function synchronousStandbys(signal: AbortSignal): Promise<string[]> {
  const view = await firstOf<{ members: { name: string; role: string }[] }>('/cluster', signal);
  const members = view?.members ?? [];
  return members.filter(({ role }) => role === 'sync_standby').map(({ name }) => name);
}

async function isHealthy(host: number, signal: AbortSignal): Promise<boolean> {
  const answer = await ask<{ health: unknown }>(addressOf(host), PORTS.etcdClient, '/health', signal);
  return String(answer?.health) === 'true';
}

/** What the first Patroni that answers says; undefined where none does. */
async function firstOf<T>(path: string, signal: AbortSignal): Promise<T | undefined> {
  const answers = HOSTS.map(async n => {
    const answer = await ask<T>(addressOf(n), PORTS.patroni, path, signal);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  });
  return await Promise.any(answers).catch(() => undefined);
}

/** JSON of any status, since Patroni answers 503 with its state; undefined: no answer. */
async function ask<T>(
  address: string,
  port: number,
  path: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    return (await (await fetch(`http://${address}:${port}${path}`, { signal: limit })).json()) as T;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
