/**
 * What a platform saw of one cluster, at one moment. Plain data: `plan` and `verdict` read nothing else.
 * "undefined" always means "could not be seen", never "is not there".
 */
import type { EndpointName } from '../manifest/spec.ts';
import type { BackupObservation } from '../schedule/facts.ts';

export interface Observation {
  /** ISO 8601. */
  observedAt: string;
  /** The action `prepare` was finished once: directories or objects exist, whole. */
  exists: boolean;
  /** Stopped on purpose by `down`, or by numberOfInstances: 0. */
  stopped: boolean;
  /** Every server the platform runs for the cluster, or that is left over from an earlier plan. */
  components: ComponentObservation[];
  members: MemberObservation[];
  /** The Kubernetes API as DCS counts as one voter. */
  dcs: DcsObservation | undefined;
  /** Patroni's dynamic configuration (GET /config); undefined when no member answers. */
  config: DynamicConfig | undefined;
  /** What the primary's catalogs hold; undefined when there is no primary that answers, or nobody asked. */
  catalog: CatalogObservation | undefined;
  endpoints: Partial<Record<EndpointName, EndpointObservation>>;
  /** The resident control plane; undefined where the platform has none of its own. */
  controlPlane: { running: boolean; since: string | undefined } | undefined;
  /** Whether an operator watches the primary closely; undefined where that is the control plane's business. */
  operatorWatches?: boolean;
  version: { wanted: string; actual: string };
  /** Repositories and the archive; undefined: nobody asked. */
  backups?: BackupObservation | undefined;
  /** What drills have broken on purpose and not mended yet. */
  faults?: FaultObservation[];
}

export interface FaultObservation {
  /** What was done, or why that cannot be told. */
  description: string;
  /** The drill still runs, and will mend it. */
  owned: boolean;
}

/** What kind of server a component is. On Kubernetes there is no etcd and no proxy of ours. */
export type ComponentKind = 'etcd' | 'member' | 'proxy' | 'pooler' | 'poolerStandby';

export interface ComponentObservation {
  name: string;
  kind: ComponentKind;
  running: boolean;
  /** ISO 8601 of the last change of `running`. */
  since: string | undefined;
  /** What its configuration lacks: nothing, a reload, or a restart of this server. */
  outdated: 'no' | 'reload' | 'restart';
  /** Names of what differs, for people: "parameter pool_mode", "certificate". */
  differences: string[];
}

export type MemberRole = 'primary' | 'standby' | 'unknown';

/** `lost`: the member should be there and did not answer. */
export type MemberState = 'running' | 'streaming' | 'starting' | 'creating' | 'stopped' | 'failed' | 'lost';

export interface MemberObservation {
  name: string;
  role: MemberRole;
  state: MemberState;
  timeline: number | undefined;
  /** Bytes of WAL the primary has and this member has not received. 0 for the primary. */
  lagBytes: number | undefined;
  /** Bytes of WAL that queries on this member do not see yet: not received, or not replayed. 0 for the primary. */
  replayLagBytes?: number | undefined;
  /** Seconds since the last replayed commit while something is left to replay; 0 when nothing is. */
  lagSeconds: number | undefined;
  /** Commits wait for this member. */
  synchronous: boolean;
  pendingRestart: boolean;
  /**
   * Parameters that wait for the restart, with the value in force and the value to come (Patroni's
   * pending_restart_reason). Without it a decrease of max_connections and the like cannot be told from an
   * increase, and the order of the restarts may be wrong.
   */
  pendingRestartReason?: Record<string, { from: string | undefined; to: string | undefined }> | undefined;
  address: string;
  port: number;
  /** ISO 8601: since when role and state are what they are. */
  since: string | undefined;
  /** What went wrong, if anything did. */
  problem: string | undefined;
}

export interface DcsObservation {
  voters: number;
  healthyVoters: number;
}

export interface EndpointObservation {
  host: string;
  port: number;
}

/** Patroni's dynamic configuration; the keys are Patroni's. */
export interface DynamicConfig {
  ttl?: number;
  loop_wait?: number;
  retry_timeout?: number;
  postgresql?: {
    parameters?: Record<string, string | number | boolean | null>;
    pg_hba?: string[];
    pg_ident?: string[];
    [key: string]: unknown;
  };
  slots?: Record<string, unknown>;
  [key: string]: unknown;
}

export interface CatalogObservation {
  /** Role name to its attributes in the manifest's words. */
  roles: Record<string, { flags: string[]; memberOf: string[] }>;
  databases: Record<string, DatabaseObservation>;
  /** Names of parameters that only a restart changes (pg_settings.context = postmaster). */
  restartParameters: string[];
}

export interface DatabaseObservation {
  owner: string;
  schemas: Record<string, { owner: string }>;
  extensions: Record<string, string>;
  /** Who gets rights on what a role will create (pg_default_acl), one entry per grantee; undefined: not read. */
  defaultPrivileges?: DefaultPrivilege[] | undefined;
  /** The pooler's lookup function is installed for its user. */
  poolerLookup: boolean;
}

export interface DefaultPrivilege {
  /** The role whose future objects are meant. */
  creator: string;
  grantee: string;
  /** undefined: in every schema of the database. */
  schema: string | undefined;
}
