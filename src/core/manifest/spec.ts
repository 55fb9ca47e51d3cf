import type { BackupSpec } from './specBackup.ts';
import type { KubernetesSpec } from './specKubernetes.ts';

/**
 * A manifest with every default filled in and every alias resolved: what the rest of pgherd reads.
 * Platform-neutral but for `kubernetes`. Sizes are bytes, cpu is millicores, times are seconds.
 */
export interface ClusterSpec {
  name: string;
  namespace: string;
  /** The `team` label; empty when the manifest names none. */
  teamId: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Major version asked for, e.g. "16". */
  version: string;
  /** 0 means stopped: data stays, no server runs. */
  instances: number;
  /** `postgresql.parameters`: values exactly as written, names in PostgreSQL's own spelling, none that pgherd owns. */
  parameters: Record<string, string>;
  volume: VolumeSpec;
  resources: ResourcesSpec;
  users: UserSpec[];
  databases: DatabaseSpec[];
  preparedDatabases: PreparedDatabaseSpec[];
  patroni: PatroniSpec;
  pooler: PoolerSpec;
  /** Endpoints asked to be reachable from outside (load balancer or node port flags). */
  exposed: Record<EndpointName, boolean>;
  /** CIDR, IPv4 or IPv6. Empty: only loopback. */
  allowedSourceRanges: string[];
  maintenanceWindows: MaintenanceWindow[];
  backup: BackupSpec;
  /** Pods, services and volumes: read by the operator alone. */
  kubernetes: KubernetesSpec;
}

/** The four ways in, in the vocabulary of design.md. */
export type EndpointName = 'primary' | 'standby' | 'pooler' | 'poolerStandby';

export interface VolumeSpec {
  sizeBytes: number;
}

export interface ResourcesSpec {
  requests: { cpuMillis: number; memoryBytes: number };
  limits: { cpuMillis: number; memoryBytes: number };
}

export type RoleFlag =
  | 'superuser'
  | 'inherit'
  | 'login'
  | 'createrole'
  | 'createdb'
  | 'replication'
  | 'bypassrls';

export interface UserSpec {
  name: string;
  /** Complete: every flag has a value, LOGIN and INHERIT default to true. */
  flags: Record<RoleFlag, boolean>;
}

export interface DatabaseSpec {
  name: string;
  owner: string;
}

export interface PreparedDatabaseSpec {
  name: string;
  defaultUsers: boolean;
  /** Extension name to schema it is created in. */
  extensions: Record<string, string>;
  schemas: { name: string; defaultRoles: boolean; defaultUsers: boolean }[];
}

/** async: Patroni without synchronous mode. sync: synchronous_mode. strict: synchronous_mode_strict as well. */
export type SynchronousMode = 'async' | 'sync' | 'strict';

export interface PatroniSpec {
  /**
   * undefined: the manifest leaves it to the platform. Where the other two are written and need more than Patroni's
   * least ttl, it is what they need.
   */
  ttl: number | undefined;
  loopWait: number | undefined;
  retryTimeout: number | undefined;
  maximumLagOnFailover: number;
  /** Default: sync for two or more instances, async for one (design.md, decision 3). */
  synchronousMode: SynchronousMode;
  synchronousNodeCount: number;
  failsafeMode: boolean | undefined;
  initdb: Record<string, string>;
  /** undefined: ours. Otherwise the user's lines replace our client lines (never the lines we need ourselves). */
  pgHba: string[] | undefined;
  slots: Record<string, Record<string, string>>;
}

export interface PoolerSpec {
  primary: boolean;
  standby: boolean;
  /** PgBouncer processes per endpoint. */
  instances: number;
  mode: 'session' | 'transaction';
  schema: string;
  user: string;
  /** Server connections per database, summed over all instances of one endpoint. */
  maxDbConnections: number;
  resources: ResourcesSpec;
}

export interface MaintenanceWindow {
  /** undefined: every day. 0 is Sunday. */
  weekday: number | undefined;
  /** Minutes after midnight UTC. */
  startMinute: number;
  endMinute: number;
}
