import type { ClusterSpec } from '../../manifest/spec.ts';
import { thePrimary } from '../../topology/members.ts';
import type {
  CatalogObservation,
  DynamicConfig,
  MemberObservation,
  Observation,
} from '../../topology/observation.ts';
import type { Desired } from '../action.ts';
import { makeCatalog, makeHealthy } from './fixture.ts';

/** A cluster in memory: what can be observed of it, and what only the servers know. Never changed in place. */
export interface World {
  observed: Observation;
  /** Members with a data directory. */
  data: string[];
  /** Values with which each member's PostgreSQL was started. */
  inForce: Record<string, Record<string, string>>;
  /** What the DCS and the data directories hold, also while nobody can read it. */
  kept: {
    config: DynamicConfig | undefined;
    catalog: CatalogObservation;
    voters: string[];
    timeline: number;
  };
}

const builtIn: Record<string, string> = {
  max_connections: '100',
  max_worker_processes: '8',
  shared_buffers: '128MB',
};

/** Standbys hold back a decrease of these until the primary has it. */
const heldBack = ['max_connections', 'max_worker_processes'];

export function nothing(desired: Desired): World {
  const observed: Observation = {
    ...makeHealthy(desired),
    exists: false,
    stopped: false,
    components: [],
    members: [],
    dcs: undefined,
    config: undefined,
    catalog: undefined,
  };
  const kept = { config: undefined, catalog: makeCatalog(), voters: [], timeline: 1 };
  return { observed, data: [], inForce: {}, kept };
}

/** A world in which the observation given is true. */
export function worldOf(observed: Observation, config: DynamicConfig): World {
  const voters = observed.components.filter(({ kind }) => kind === 'etcd').map(({ name }) => name);
  const data = observed.members.filter(({ state }) => state !== 'creating').map(({ name }) => name);
  const wanted = wantedValues(config);
  return see({
    observed,
    data,
    inForce: Object.fromEntries(data.map(name => [name, { ...wanted }])),
    kept: { config, catalog: observed.catalog ?? makeCatalog(), voters, timeline: 1 },
  });
}

/** The values of restart parameters that a configuration asks for. */
function wantedValues(config: DynamicConfig | undefined): Record<string, string> {
  const parameters = config?.postgresql?.parameters ?? {};
  return Object.fromEntries(
    Object.entries(builtIn).map(([name, value]) => [name, String(parameters[name] ?? value)]),
  );
}

/** The values with which a member starts now. */
export function startValues(world: World, name: string): Record<string, string> {
  const values = wantedValues(world.kept.config);
  const primary = thePrimary(world.observed);
  const floor = primary === undefined || primary.name === name ? undefined : world.inForce[primary.name];
  for (const parameter of heldBack) {
    if (floor !== undefined && Number(floor[parameter]) > Number(values[parameter])) {
      values[parameter] = floor[parameter] ?? '';
    }
  }
  return values;
}

export function isRunning(world: World, name: string): boolean {
  return world.observed.components.some(component => component.name === name && component.running);
}

export function hasQuorum({ observed: { dcs } }: World): boolean {
  return dcs !== undefined && dcs.healthyVoters * 2 > dcs.voters;
}

/** Brings what can be observed in line with what is so: quorum, configuration, catalogs, pending restarts. */
export function see(world: World): World {
  const { observed, kept } = world;
  const healthyVoters = kept.voters.filter(name => isRunning(world, name)).length;
  const dcs = healthyVoters === 0 ? undefined : { voters: kept.voters.length, healthyVoters };
  const answers = observed.members.some(({ name, state }) => isRunning(world, name) && state !== 'lost');
  const seen: World = { ...world, observed: { ...observed, dcs } };
  const primary = thePrimary(seen.observed);
  return {
    ...seen,
    observed: {
      ...seen.observed,
      config: hasQuorum(seen) && answers ? kept.config : undefined,
      catalog: primary === undefined ? undefined : kept.catalog,
      members: observed.members.map(member => withPending(world, member)),
    },
  };
}

function withPending(world: World, member: MemberObservation): MemberObservation {
  const wanted = wantedValues(world.kept.config);
  const have = world.inForce[member.name] ?? wanted;
  const pendingRestartReason = Object.fromEntries(
    Object.entries(wanted)
      .filter(([name, value]) => have[name] !== value)
      .map(([name, to]) => [name, { from: have[name], to }]),
  );
  return { ...member, pendingRestart: Object.keys(pendingRestartReason).length > 0, pendingRestartReason };
}

export function changeMember(world: World, name: string, change: Partial<MemberObservation>): World {
  const members = world.observed.members.map(member =>
    member.name === name ? { ...member, ...change } : member,
  );
  return { ...world, observed: { ...world.observed, members } };
}

export function isSynchronous(spec: ClusterSpec, config: DynamicConfig | undefined): boolean {
  return config === undefined ? spec.patroni.synchronousMode !== 'async' : config.synchronous_mode === true;
}
