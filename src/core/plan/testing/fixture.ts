import type { ClusterSpec, PatroniSpec, PoolerSpec } from '../../manifest/spec.ts';
import type { BackupSpec } from '../../manifest/specBackup.ts';
import type { KubernetesSpec } from '../../manifest/specKubernetes.ts';
import type {
  CatalogObservation,
  ComponentKind,
  ComponentObservation,
  DynamicConfig,
  MemberObservation,
  Observation,
} from '../../topology/observation.ts';
import type { Desired } from '../action.ts';

const resources = {
  requests: { cpuMillis: 100, memoryBytes: 100 << 20 },
  limits: { cpuMillis: 500, memoryBytes: 500 << 20 },
};

export const noBackups: BackupSpec = {
  repositories: [],
  encryption: true,
  compression: 'zst',
  schedule: { full: undefined, differential: undefined, incremental: undefined, timeZone: undefined },
  retention: { by: 'full', amount: 2 },
  verify: { afterBackup: 'never', schedule: undefined },
  logical: {
    enabled: false,
    schedule: '0 2 * * *',
    retention: undefined,
    directory: undefined,
    format: 'custom',
  },
};

const closed = { loadBalancer: false, nodePort: false, port: undefined, annotations: {} };

const plainPods: KubernetesSpec = {
  clone: undefined,
  image: undefined,
  poolerImage: undefined,
  volume: { storageClass: undefined, selector: undefined, subPath: undefined, isSubPathExpr: false },
  hugepages: { requests: {}, limits: {} },
  env: [],
  envFrom: [],
  tolerations: undefined,
  nodeAffinity: undefined,
  topologySpreadConstraints: [],
  priorityClassName: undefined,
  schedulerName: undefined,
  runAsUser: undefined,
  runAsGroup: undefined,
  fsGroup: undefined,
  livenessProbe: undefined,
  shmVolume: true,
  initContainers: [],
  sidecars: [],
  additionalVolumes: [],
  tls: undefined,
  podAnnotations: {},
  services: { primary: closed, standby: closed, pooler: closed, poolerStandby: closed },
  secretRotation: { byNewRole: [], inPlace: [], never: [] },
  secretNamespaces: {},
};

interface SpecOptions extends Partial<Omit<ClusterSpec, 'patroni' | 'pooler'>> {
  patroni?: Partial<PatroniSpec>;
  pooler?: Partial<PoolerSpec>;
}

/** A cluster `herd` of three with poolers off, changed as asked. */
export function makeSpec({ patroni, pooler, ...rest }: SpecOptions = {}): ClusterSpec {
  const instances = rest.instances ?? 3;
  return {
    name: 'herd',
    namespace: 'default',
    teamId: '',
    labels: {},
    annotations: {},
    version: '16',
    instances,
    parameters: {},
    volume: { sizeBytes: 1 << 30 },
    resources,
    users: [],
    databases: [],
    preparedDatabases: [],
    exposed: { primary: false, standby: false, pooler: false, poolerStandby: false },
    allowedSourceRanges: [],
    maintenanceWindows: [],
    backup: noBackups,
    kubernetes: plainPods,
    ...rest,
    patroni: {
      ttl: undefined,
      loopWait: undefined,
      retryTimeout: undefined,
      maximumLagOnFailover: 33_554_432,
      synchronousMode: instances > 1 ? 'sync' : 'async',
      synchronousNodeCount: 1,
      failsafeMode: undefined,
      initdb: {},
      pgHba: undefined,
      slots: {},
      ...patroni,
    },
    pooler: {
      primary: false,
      standby: false,
      instances: 1,
      mode: 'transaction',
      schema: 'pooler',
      user: 'pooler',
      maxDbConnections: 60,
      resources,
      ...pooler,
    },
  };
}

/** A platform's rendering, much like that of one machine: an odd number of etcds, one proxy. */
export function makeDesired(spec: ClusterSpec): Desired {
  const { instances, pooler, patroni } = spec;
  const list = (kind: ComponentKind, name: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ name: `${spec.name}${name}-${at}`, kind }));
  const config: DynamicConfig = {
    ttl: patroni.ttl ?? 30,
    loop_wait: patroni.loopWait ?? 10,
    synchronous_mode: patroni.synchronousMode !== 'async',
    synchronous_mode_strict: patroni.synchronousMode === 'strict',
    synchronous_node_count: patroni.synchronousNodeCount,
    postgresql: {
      use_slots: true,
      parameters: { ...spec.parameters },
      pg_hba: patroni.pgHba ?? ['local all all peer'],
    },
    slots: patroni.slots,
  };
  if (instances === 0) return { spec, components: [], config };
  return {
    spec,
    components: [
      ...list('etcd', '-etcd', instances >= 5 ? 5 : instances >= 3 ? 3 : 1),
      ...list('member', '', instances),
      ...list('pooler', '-pooler', pooler.primary ? pooler.instances : 0),
      ...list('poolerStandby', '-pooler-repl', pooler.standby ? pooler.instances : 0),
      ...list('proxy', '-proxy', 1),
    ],
    config,
  };
}

export function makeComponent(name: string, kind: ComponentKind): ComponentObservation {
  return { name, kind, running: true, since: undefined, outdated: 'no', differences: [] };
}

export function makeMember(name: string, change: Partial<MemberObservation> = {}): MemberObservation {
  return {
    name,
    role: 'standby',
    state: 'streaming',
    timeline: 1,
    lagBytes: 0,
    lagSeconds: 0,
    synchronous: false,
    pendingRestart: false,
    address: '127.0.0.2',
    port: 5432,
    since: undefined,
    problem: undefined,
    ...change,
  };
}

export function makeCatalog(): CatalogObservation {
  return {
    roles: {
      postgres: { flags: ['superuser', 'inherit', 'login'], memberOf: [] },
      standby: { flags: ['inherit', 'login', 'replication'], memberOf: [] },
      admin: { flags: ['inherit', 'createdb'], memberOf: [] },
    },
    databases: {
      postgres: {
        owner: 'postgres',
        schemas: {},
        extensions: {},
        defaultPrivileges: [],
        poolerLookup: false,
      },
    },
    restartParameters: ['max_connections', 'max_worker_processes', 'shared_buffers'],
  };
}

/** Every server of the manifest runs and is well; `herd-0` is the primary. The catalogs hold what is always there. */
export function makeHealthy(desired: Desired): Observation {
  const { spec } = desired;
  const synchronous = spec.patroni.synchronousMode === 'async' ? 0 : spec.patroni.synchronousNodeCount;
  const etcds = desired.components.filter(component => component.kind === 'etcd').length;
  return {
    observedAt: '2026-01-01T00:00:00.000Z',
    exists: true,
    stopped: spec.instances === 0,
    components: desired.components.map(({ name, kind }) => makeComponent(name, kind)),
    members: desired.components
      .filter(component => component.kind === 'member')
      .map(({ name }, at) =>
        at === 0
          ? makeMember(name, { role: 'primary', state: 'running' })
          : makeMember(name, { synchronous: at <= synchronous }),
      ),
    dcs: { voters: etcds, healthyVoters: etcds },
    config: structuredClone(desired.config),
    catalog: makeCatalog(),
    endpoints: {},
    controlPlane: { running: true, since: undefined },
    version: { wanted: spec.version, actual: `${spec.version}.4` },
  };
}
