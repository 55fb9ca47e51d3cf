import type { ClusterSpec, DatabaseSpec, PreparedDatabaseSpec, UserSpec } from '../manifest/spec.ts';
import type { ComponentKind, DynamicConfig } from '../topology/observation.ts';

/**
 * One step from what is to what should be. Every action can be repeated: carried out twice it does
 * no harm, so that an interrupted `up` is finished by the next one.
 */
export type Action =
  /** Directories, certificates, generated passwords, addresses. */
  | { kind: 'prepare' }
  | { kind: 'start'; component: string; componentKind: ComponentKind }
  | { kind: 'reload'; component: string; componentKind: ComponentKind }
  | { kind: 'restart'; component: string; componentKind: ComponentKind }
  | { kind: 'remove'; component: string; componentKind: ComponentKind }
  /** Merge patch of Patroni's dynamic configuration: null deletes a key. */
  | { kind: 'configure'; patch: DynamicConfig }
  /** Restart PostgreSQL of a running member through Patroni. */
  | { kind: 'restart-member'; member: string }
  | { kind: 'switchover'; from: string }
  | { kind: 'change-catalog'; change: CatalogChange };

export type CatalogChange =
  | { kind: 'role'; user: UserSpec; exists: boolean; memberOf: string[] }
  | { kind: 'database'; database: DatabaseSpec; exists: boolean }
  | { kind: 'prepared-database'; database: PreparedDatabaseSpec }
  | { kind: 'pooler-lookup'; database: string };

/** What clients notice of a step. */
export type Impact =
  | 'none'
  /** Commits or connections wait for a moment, nothing fails. */
  | 'stall'
  /** Sessions of one server are cut. */
  | 'interruption'
  /** Data directories are set aside. */
  | 'removal';

export interface Step {
  action: Action;
  /** One sentence: what is done. */
  summary: string;
  /** One sentence: why. */
  reason: string;
  impact: Impact;
}

export interface Plan {
  steps: Step[];
  /** What only needs time: "wichtige-daten-3-1 is starting". Empty: nothing to wait for. */
  waiting: string[];
}

/** What should exist, as the platform and the engines rendered it from the manifest. */
export interface Desired {
  spec: ClusterSpec;
  components: { name: string; kind: ComponentKind }[];
  /** The whole dynamic configuration pgherd owns. */
  config: DynamicConfig;
}
