/** A platform in memory, made of the simulated clusters that the planner is tested with. */
import type { ClusterSpec, EndpointName } from '../../src/core/manifest/spec.ts';
import { applyBatch } from '../../src/core/plan/testing/apply.ts';
import { makeDesired } from '../../src/core/plan/testing/fixture.ts';
import { promote, tick } from '../../src/core/plan/testing/time.ts';
import { nothing, type World } from '../../src/core/plan/testing/world.ts';
import type { Observation } from '../../src/core/topology/observation.ts';
import type {
  Backups,
  ClusterRef,
  Dumps,
  JournalEntry,
  LogLine,
  Platform,
  PlatformCluster,
  Restores,
} from '../../src/platform/contract.ts';

const PORTS: Record<EndpointName, number> = {
  primary: 5432,
  standby: 5433,
  pooler: 6432,
  poolerStandby: 6433,
};

/** What a test may look at and change. */
export interface MemoryCluster {
  ref: ClusterRef;
  spec: ClusterSpec;
  manifest: string | undefined;
  world: World;
  notes: string[];
  log: LogLine[];
  journal: JournalEntry[];
  /** How often each operation was called. */
  calls: string[];
  /** Changes what is observed, at each look. */
  distort: (observed: Observation) => Observation;
  destroyed: boolean;
}

export interface MemoryPlatform extends Platform {
  clusters: MemoryCluster[];
  /** Adds a cluster that runs well. */
  add(spec: ClusterSpec): MemoryCluster;
}

export function memoryPlatform(): MemoryPlatform {
  const clusters: MemoryCluster[] = [];
  const find = (ref: ClusterRef): MemoryCluster | undefined =>
    clusters.find(({ ref: other }) => other.name === ref.name && other.namespace === ref.namespace);

  const create = (spec: ClusterSpec): MemoryCluster => {
    const made: MemoryCluster = {
      ref: { name: spec.name, namespace: spec.namespace },
      spec,
      manifest: undefined,
      world: nothing(makeDesired(spec)),
      notes: [],
      log: [],
      journal: [],
      calls: [],
      distort: observed => observed,
      destroyed: false,
    };
    clusters.push(made);
    return made;
  };

  return {
    clusters,
    add(spec) {
      const made = create(spec);
      made.manifest = 'kept';
      const desired = makeDesired(spec);
      made.world = { ...made.world, observed: { ...made.world.observed, exists: true } };
      const start = desired.components.map(({ name, kind }) => ({
        action: { kind: 'start' as const, component: name, componentKind: kind },
        summary: '',
        reason: '',
        impact: 'none' as const,
      }));
      for (const step of start) made.world = applyBatch([step], made.world, desired);
      for (let i = 0; i < 10; i++) made.world = tick(made.world, desired);
      return made;
    },
    list: async () => clusters.filter(({ destroyed }) => !destroyed).map(({ ref }) => ref),
    open: async ref => {
      const found = find(ref);
      if (found === undefined) throw new Error(`no cluster ${ref.name}`);
      return open(found);
    },
    adopt: async (spec, manifest) => {
      const found = find({ name: spec.name, namespace: spec.namespace }) ?? create(spec);
      found.spec = spec;
      return open(found, manifest);
    },
  };
}

function open(cluster: MemoryCluster, manifest?: string): PlatformCluster {
  const desired = makeDesired(cluster.spec);
  const { pooler } = cluster.spec;
  const names: EndpointName[] = ['primary', 'standby'];
  if (pooler.primary) names.push('pooler');
  if (pooler.standby) names.push('poolerStandby');
  const endpoints = Object.fromEntries(names.map(name => [name, { host: '127.1.2.1', port: PORTS[name] }]));
  const users = [...cluster.spec.users.map(user => user.name), 'postgres', 'standby', 'pooler'];
  const call = (name: string): void => void cluster.calls.push(name);
  const lead = (to: string): void => {
    const members = cluster.world.observed.members.map(member =>
      member.role === 'primary'
        ? { ...member, role: 'standby' as const, state: 'streaming' as const }
        : member,
    );
    cluster.world = promote({ ...cluster.world, observed: { ...cluster.world.observed, members } }, to);
  };
  return {
    ref: cluster.ref,
    spec: cluster.spec,
    notes: cluster.notes,
    access: {
      endpoint: name => endpoints[name],
      reach: async () => undefined,
      caFile: async () => `/state/${cluster.ref.name}/ca.crt`,
      inside: async () => ({ socketDirectory: '/run', port: 5432, user: 'postgres' }),
      credentials: async username => ({
        username,
        secret: `${username}.${cluster.ref.name}.credentials.postgresql.acid.zalan.do`,
        password: `s3cret/${username}`,
      }),
      users: async () => users,
      psql: async () => ({
        argv: ['/bin/sh', '-c', 'exit 3'],
        env: { PGPASSFILE: '/state/pgpass' },
      }),
    },
    backups: noBackups(),
    restores: noRestores(),
    dumps: noDumps(),
    appliedManifest: async () => cluster.manifest,
    record: async () => {
      cluster.manifest = manifest;
    },
    provision: async () => {
      cluster.world = { ...cluster.world, observed: { ...cluster.world.observed, exists: true } };
    },
    hasten: async () => {},
    guard: async () => {
      call('guard');
      return { running: true, since: undefined };
    },
    heal: async () => [],
    remember: async () => {},
    stop: async () => call('stop'),
    destroy: async () => {
      call('destroy');
      cluster.destroyed = true;
      return ['/backup/kept'];
    },
    observe: async () => {
      cluster.world = tick(cluster.world, desired);
      return cluster.distort({ ...cluster.world.observed, endpoints });
    },
    desired: () => desired,
    apply: async action => {
      const step = { action, summary: '', reason: '', impact: 'none' as const };
      cluster.world = applyBatch([step], cluster.world, desired);
    },
    patroni: {
      switchover: async ({ to }) => {
        call('switchover');
        const standby = cluster.world.observed.members.find(member => member.synchronous);
        lead(to ?? standby?.name ?? '');
      },
      failover: async ({ to }) => {
        call('failover');
        lead(to);
      },
      restart: async member => call(`restart ${member}`),
      reinitialise: async member => call(`reinit ${member}`),
    },
    drillsAllowed: false,
    faults: {
      obstacle: async () => 'nothing is broken in memory',
      inject: async () => {
        throw new Error('not in memory');
      },
      registered: async () => [],
      undo: async () => [],
    },
    sentinel: () => {
      throw new Error('not in memory');
    },
    moves: {
      holdClients: async () => ({
        drained: true,
        aim: async () => {},
        release: async () => {},
        [Symbol.asyncDispose]: async () => {},
      }),
      shutStopGate: async () => undefined,
      handOn: async () => [],
      checkpoint: async () => {},
      awaitOtherPrimary: async than =>
        cluster.world.observed.members.find(member => member.role === 'primary' && member.name !== than)
          ?.name ?? '',
    },
    leader: async () => cluster.world.observed.members.find(member => member.role === 'primary')?.name,
    async *logs({ components, tail }) {
      const lines = cluster.log.filter(
        line => components.length === 0 || components.includes(line.component),
      );
      yield* tail === undefined ? lines : lines.slice(-tail);
    },
    journal: {
      append: async entry => {
        cluster.journal.push({ ...entry, at: '2026-01-01T00:00:01.000Z' });
      },
      read: async ({ since }) =>
        cluster.journal.filter(entry => since === undefined || Date.parse(entry.at) >= since.getTime()),
    },
    lock: async operation => {
      call(`lock ${operation}`);
      return { [Symbol.asyncDispose]: async () => {} };
    },
    [Symbol.dispose]: () => {},
  };
}

/** A cluster without repositories. */
function noBackups(): Backups {
  const refuse = async () => {
    throw new Error('there are no repositories');
  };
  return {
    repositories: [],
    observe: async () => ({ observedAt: '', repositories: [], archiver: undefined, key: undefined }),
    archiver: async () => undefined,
    provision: async () => ({ done: [], failed: [] }),
    backup: refuse,
    expire: refuse,
    lock: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    readKey: async () => undefined,
    noteKeySaved: refuse,
    importKey: refuse,
    memory: { read: async () => undefined, write: async () => {} },
  };
}

/** A cluster that nothing can be restored into. */
function noRestores(): Restores {
  const refuse = async () => {
    throw new Error('there is nothing to restore');
  };
  return {
    prepare: async () => {},
    archiveNow: async () => false,
    restoreInto: refuse,
    scratches: async () => [],
    open: refuse,
    discard: refuse,
    bring: refuse,
    swapIn: refuse,
    unfinishedSwap: async () => undefined,
    sweep: async () => [],
    copyTables: refuse,
    loadDump: refuse,
    primarySession: refuse,
    nameDamage: refuse,
    checkSegment: refuse,
  };
}

/** A cluster without a place for dumps. */
function noDumps(): Dumps {
  const refuse = async () => {
    throw new Error('there is no place for dumps');
  };
  const nothing = { fileSystem: undefined, freeBytes: undefined, problem: 'there is no place', dumps: [] };
  return {
    observe: async () => ({ directory: '/dumps', ...nothing }),
    begin: refuse,
    check: refuse,
    remove: refuse,
  };
}
