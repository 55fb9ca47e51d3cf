/** What this machine shows of a cluster. Everything is asked at once, each answer with its own short deadline. */
import { join } from 'node:path';
import { z } from 'zod';
import type { EndpointName } from '../../core/manifest/spec.ts';
import type {
  ComponentObservation,
  EndpointObservation,
  MemberObservation,
  MemberState,
  Observation,
} from '../../core/topology/observation.ts';
import type { EtcdClient } from '../../engine/etcd/client.ts';
import type { MemberStatus, PatroniClient } from '../../engine/patroni/client.ts';
import { messageOf } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { componentKind, memberAddress, ordinalOf, type Paths } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import { type ServiceStatus, serviceStatus } from './runit.ts';
import type { Service } from './serviceParts.ts';
import { fingerprints } from './services.ts';

/** How long a server that was just started may be silent before it counts as lost. */
const STARTING_MS = 15_000;

const seenMembers = z.record(
  z.string(),
  z.object({ role: z.string(), state: z.string(), since: z.string() }),
);

/** What the control plane noted of each member: since when it is what it is. */
export type SeenMembers = z.infer<typeof seenMembers>;

export interface Clients {
  patroni(member: string): PatroniClient;
  etcd(voter: string): EtcdClient;
}

/** The file of `SeenMembers`. A spoiled one is as good as none: it only knows since when. */
export async function readSeen(paths: Paths): Promise<SeenMembers> {
  try {
    return seenMembers.parse(JSON.parse((await readIfExists(seenFile(paths))) ?? '{}'));
  } catch {
    return {};
  }
}

export async function writeSeen(paths: Paths, observed: Observation): Promise<void> {
  const seen = Object.fromEntries(
    observed.members.map(({ name, role, state, since }) => [
      name,
      { role, state, since: since ?? observed.observedAt },
    ]),
  );
  await writeAtomically(seenFile(paths), JSON.stringify(seen), { mode: 0o644 });
}

function seenFile(paths: Paths): string {
  return join(paths.run, 'seen.json');
}

export async function observeComponents(
  names: string[],
  paths: Paths,
  render: (name: string) => Service | undefined,
): Promise<ComponentObservation[]> {
  return await Promise.all(
    names.map(async name => {
      const status = await serviceStatus(paths.services, name);
      const service = render(name);
      const { outdated, differences } = service === undefined ? CURRENT : await compare(service, paths);
      return {
        name,
        kind: componentKind(name),
        running: status.running,
        since: status.since,
        outdated,
        differences,
      };
    }),
  );
}

const CURRENT = { outdated: 'no' as const, differences: [] };

/** Compares what should be handed to a server with what was. */
async function compare(
  service: Service,
  paths: Paths,
): Promise<Pick<ComponentObservation, 'outdated' | 'differences'>> {
  const applied = await readApplied(paths, service.name);
  const changed = Object.entries(fingerprints(service)).filter(([path, hash]) => applied[path] !== hash);
  if (changed.length === 0) return CURRENT;
  const needsRestart = changed.some(
    ([path]) => path === 'run' || service.files.find(file => file.path === path)?.onChange === 'restart',
  );
  return {
    outdated: needsRestart || service.reload === undefined ? 'restart' : 'reload',
    differences: changed.map(([path]) => path.slice(path.lastIndexOf('/') + 1)),
  };
}

const appliedFile = z.record(z.string(), z.string());

export async function readApplied(paths: Paths, name: string): Promise<Record<string, string>> {
  try {
    return appliedFile.parse(
      JSON.parse((await readIfExists(join(paths.conf, name, 'applied.json'))) ?? '{}'),
    );
  } catch {
    return {};
  }
}

export async function observeMembers(
  names: string[],
  paths: Paths,
  record: ClusterRecord,
  clients: Clients,
  observedAt: Date,
  signal: AbortSignal,
): Promise<MemberObservation[]> {
  const seen = await readSeen(paths);
  const answers = await Promise.all(
    names.map(async name => {
      const service = await serviceStatus(paths.services, name);
      try {
        if (!service.running && service.pid === undefined) throw new Error('its servers are not running');
        return { name, service, status: await clients.patroni(name).status(signal) };
      } catch (error) {
        signal.throwIfAborted();
        return { name, service, problem: messageOf(error) };
      }
    }),
  );
  const synchronous = await synchronousStandbys(
    answers.filter(answer => answer.status !== undefined).map(answer => answer.name),
    clients,
    signal,
  );
  const primary = answers.find(
    answer => answer.status !== undefined && roleOf(answer.status) === 'primary',
  )?.status;
  return answers.map(({ name, service, status, problem }) => {
    const role = status === undefined ? ('unknown' as const) : roleOf(status);
    const state = status === undefined ? silentState(service, observedAt) : stateOf(status);
    const before = seen[name];
    return {
      name,
      role,
      state,
      timeline: status?.timeline,
      ...lag(status, primary, observedAt),
      synchronous: synchronous.includes(name),
      pendingRestart: status?.pending_restart === true,
      pendingRestartReason: pendingReason(status),
      address: memberAddress(record, ordinalOf(name)),
      port: record.port,
      since: sinceWhen(before, role, state, observedAt),
      problem: problem ?? (state === 'failed' ? `PostgreSQL: ${status?.state}` : undefined),
    };
  });
}

/** Unknown where nobody has looked before; a change since the last look happened just now. */
function sinceWhen(
  before: SeenMembers[string] | undefined,
  role: string,
  state: string,
  observedAt: Date,
): string | undefined {
  if (before === undefined) return undefined;
  return before.role === role && before.state === state ? before.since : observedAt.toISOString();
}

/** As the first member that answers reads it from the DCS; nobody, where none can. */
async function synchronousStandbys(
  answering: string[],
  clients: Clients,
  signal: AbortSignal,
): Promise<string[]> {
  for (const name of answering) {
    try {
      return await clients.patroni(name).synchronousStandbys(signal);
    } catch {
      signal.throwIfAborted();
    }
  }
  return [];
}

function pendingReason(status: MemberStatus | undefined): MemberObservation['pendingRestartReason'] {
  const reason = status?.pending_restart_reason;
  if (reason === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(reason).map(([name, change]) => [name, { from: change.old_value, to: change.new_value }]),
  );
}

function roleOf(status: MemberStatus): MemberObservation['role'] {
  if (['primary', 'master'].includes(status.role)) return status.state === 'running' ? 'primary' : 'unknown';
  return ['replica', 'standby_leader'].includes(status.role) ? 'standby' : 'unknown';
}

/** Patroni's words for the state of its PostgreSQL, in ours. */
function stateOf(status: MemberStatus): MemberState {
  if (status.state === 'running') {
    return roleOf(status) === 'standby' && status.replication_state === 'streaming' ? 'streaming' : 'running';
  }
  if (status.state === 'streaming') return 'streaming';
  // Patroni's word for a member without data, which waits for the first primary or for its copy.
  if (status.role === 'uninitialized') return 'creating';
  if (status.state.includes('fail') || status.state === 'crashed') return 'failed';
  if (
    status.state.startsWith('creating') ||
    status.state.startsWith('initializing') ||
    status.state.startsWith('running custom')
  ) {
    return 'creating';
  }
  return status.state.startsWith('stop') ? 'stopped' : 'starting';
}

/** A member that does not answer is starting for a while, then lost; one whose service is down is stopped. */
function silentState(service: ServiceStatus, observedAt: Date): MemberState {
  if (!service.running) return service.supervised ? 'stopped' : 'lost';
  const age = service.since === undefined ? Infinity : observedAt.getTime() - Date.parse(service.since);
  return age < STARTING_MS ? 'starting' : 'lost';
}

function lag(
  status: MemberStatus | undefined,
  primary: MemberStatus | undefined,
  observedAt: Date,
): Pick<MemberObservation, 'lagBytes' | 'replayLagBytes' | 'lagSeconds'> {
  if (status === undefined) return { lagBytes: undefined, lagSeconds: undefined };
  if (roleOf(status) === 'primary') return { lagBytes: 0, replayLagBytes: 0, lagSeconds: 0 };
  const head = primary?.xlog?.location;
  const replayed = status.xlog?.replayed_location ?? undefined;
  const received = status.xlog?.received_location ?? undefined;
  const behind = (position: number | undefined) =>
    head === undefined || position === undefined ? undefined : Math.max(0, head - position);
  const lagBytes = received === undefined ? undefined : behind(Math.max(received, replayed ?? 0));
  const replayLagBytes = behind(replayed);
  if (replayLagBytes === 0) return { lagBytes, replayLagBytes, lagSeconds: 0 };
  const last = status.xlog?.replayed_timestamp;
  if (replayLagBytes === undefined || last === undefined || last === null) {
    return { lagBytes, replayLagBytes, lagSeconds: undefined };
  }
  return {
    lagBytes,
    replayLagBytes,
    lagSeconds: Math.max(0, (observedAt.getTime() - Date.parse(last)) / 1000),
  };
}

export async function observeDcs(
  voters: string[],
  clients: Clients,
  signal: AbortSignal,
): Promise<Observation['dcs']> {
  if (voters.length === 0) return undefined;
  const healthy = await Promise.all(voters.map(voter => clients.etcd(voter).isHealthy(signal)));
  return { voters: voters.length, healthyVoters: healthy.filter(Boolean).length };
}

/** Endpoints in the order in which people want to see them. */
export function endpointObservations(
  all: Record<EndpointName, EndpointObservation | undefined>,
): Partial<Record<EndpointName, EndpointObservation>> {
  return Object.fromEntries(Object.entries(all).filter(([, endpoint]) => endpoint !== undefined));
}
