import type { ClusterSpec, DatabaseSpec, PreparedDatabaseSpec, UserSpec } from '../manifest/spec.ts';
import type { ComponentKind, DefaultPrivilege, DynamicConfig } from '../topology/observation.ts';

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
  /** Stop every server of the cluster in order; data and configuration stay (numberOfInstances: 0). */
  | { kind: 'stop' }
  /**
   * Merge patch of Patroni's dynamic configuration: null deletes a key. Done only when every running member
   * has taken it over: the next observation must already show the pending restarts that it causes.
   */
  | { kind: 'configure'; patch: DynamicConfig }
  /** Restart PostgreSQL of a running member through Patroni. */
  | { kind: 'restart-member'; member: string }
  /** `to` undefined: Patroni chooses. */
  | { kind: 'switchover'; from: string; to: string | undefined }
  | { kind: 'change-catalog'; change: CatalogChange };

export type CatalogChange =
  /**
   * Create the role or set its flags; a new one with LOGIN gets its generated password. Granted membership in
   * all of `memberOf`; never loses one. `admins` become members of it, with ADMIN OPTION. `searchPath` is set
   * for the role where given.
   */
  | {
      kind: 'role';
      user: UserSpec;
      exists: boolean;
      memberOf: string[];
      admins: string[];
      searchPath: string[] | undefined;
    }
  /** Create the database, or only change its owner where it exists. */
  | { kind: 'database'; database: DatabaseSpec; exists: boolean }
  /** What a prepared database lacks inside: schemas (created, or given to their owner), extensions, rights. */
  | {
      kind: 'prepared-database';
      database: PreparedDatabaseSpec;
      schemas: { name: string; owner: string; exists: boolean }[];
      extensions: { name: string; schema: string; exists: boolean }[];
      /** Rights of readers and writers on what `creator` makes later, and USAGE on the schemas themselves. */
      privileges: PreparedPrivileges[];
    }
  | { kind: 'pooler-lookup'; database: string };

/**
 * On what `creator` makes (in `schema`, or anywhere): the reader gets SELECT on tables and sequences, the writer
 * INSERT, UPDATE and DELETE on tables and USAGE and UPDATE on sequences, both EXECUTE on functions and USAGE on
 * types and schemas. The writer is a member of the reader.
 */
export interface PreparedPrivileges extends Omit<DefaultPrivilege, 'grantee'> {
  reader: string;
  writer: string;
}

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
  /**
   * Foreseen, but not to be done now: what has to be true first, as the end of "waits: …". Such steps stand
   * behind all others; `nextBatch` never returns one.
   */
  blockedBy?: string | undefined;
  /** Not together with others although it interrupts nobody (a voter joins the DCS). */
  alone?: boolean | undefined;
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
