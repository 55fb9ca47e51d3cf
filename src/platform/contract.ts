/**
 * What a platform offers. Everything above (control, cli, later backup, drill, dashboard) reaches servers
 * through this contract only, so that each command works on one machine and on Kubernetes.
 * test/conformance holds every platform to it.
 */
import type { Fault } from '../core/drill/fault.ts';
import type { Sample, Setting } from '../core/failover/sample.ts';
import type { ClusterSpec } from '../core/manifest/spec.ts';
import type { Action, Desired } from '../core/plan/action.ts';
import type { Observation } from '../core/topology/observation.ts';
import type { Access } from './contractAccess.ts';
import type { Backups } from './contractBackup.ts';
import type { Dumps } from './contractDumps.ts';
import type { Moves } from './contractMoves.ts';
import type { Restores } from './contractRestore.ts';

export type * from './contractAccess.ts';
export type * from './contractBackup.ts';
export type * from './contractDumps.ts';
export type * from './contractMoves.ts';
export type * from './contractRestore.ts';

export interface ClusterRef {
  name: string;
  namespace: string;
}

export interface Platform {
  /** Clusters that exist here, sorted by namespace and name. */
  list(signal: AbortSignal): Promise<ClusterRef[]>;
  /** Opens a cluster that exists. Rejects with ClusterNotFoundError. */
  open(ref: ClusterRef, signal: AbortSignal): Promise<PlatformCluster>;
  /**
   * Opens the cluster of a manifest, whether it exists yet or not, with the manifest as what is wanted from
   * now on. Checks what could go wrong (versions, ports, memory, disk) before anything is written; `record`
   * of the result is what makes it last.
   */
  adopt(
    spec: ClusterSpec,
    manifest: string,
    options: PlacementOptions,
    signal: AbortSignal,
  ): Promise<PlatformCluster>;
}

/** Where a cluster's endpoints are to be reached; undefined keeps what the cluster has. */
export interface PlacementOptions {
  /** Address for the exposed endpoints instead of loopback. */
  listen: string | undefined;
  /** Port of PostgreSQL on members and on the primary endpoint; the others follow it. */
  port: number | undefined;
  /** Refuse where the wanted major version cannot be had, instead of taking the newest. */
  strictVersion: boolean;
  /** Only look: install nothing, make no directory. */
  readOnly?: boolean;
  /** Each member on a host of its own: network and volume (decided at creation). undefined keeps what the cluster has. */
  isolate?: boolean | undefined;
  /** The data will come from a backup: repositories may hold what is of a cluster of this name. */
  fromBackup?: boolean;
  /** Drills may run without the name being typed. undefined keeps what the cluster has. */
  allowDrills?: boolean | undefined;
}

export interface ObserveOptions {
  /** Read the primary's catalogs as well (roles, databases): slower. */
  catalog: boolean;
  /** Leave out Patroni's dynamic configuration, for who looks every few seconds. */
  withoutConfig?: boolean;
  /** Leave out whether servers run with what they should be given (`outdated` is 'no'), for the same. */
  withoutFiles?: boolean;
}

export interface ApplyContext {
  signal: AbortSignal;
  /** A short sentence for people, at most a few per second. */
  progress(message: string): void;
}

export interface PlatformCluster extends Disposable {
  readonly ref: ClusterRef;
  /** The manifest that was last applied; undefined before the first `record`. */
  appliedManifest(): Promise<string | undefined>;
  /** The manifest as the cluster was opened or adopted with. */
  readonly spec: ClusterSpec;
  /** Makes the manifest given to `adopt` the one that was last applied. */
  record(): Promise<void>;
  /** Sees to what every step needs: directories, certificates, generated passwords. May be repeated. */
  provision(context: ApplyContext): Promise<void>;
  /** Asks the servers not to wait for their next turn, while somebody waits for them. Changes nothing; never rejects. */
  hasten(observed: Observation, signal: AbortSignal): Promise<void>;
  /** Makes sure that the resident control plane watches the cluster. Resolves with what `observe` would say of it. */
  guard(): Promise<Observation['controlPlane']>;
  /** The control plane's own small repairs, which interrupt nothing. Resolves with what was done. */
  heal(observed: Observation): Promise<string[]>;
  /** Notes since when each member is what it is, for observations to come. */
  remember(observed: Observation): Promise<void>;
  /** What a person should know of the placement: "PostgreSQL 15 instead of 16", one sentence each. */
  notes: string[];
  /** Stops every server of the cluster in order; data and configuration stay. */
  stop(context: ApplyContext): Promise<void>;
  /** Stops and deletes everything of the cluster. Resolves with what was left behind on purpose. */
  destroy(context: ApplyContext): Promise<string[]>;
  observe(options: ObserveOptions, signal: AbortSignal): Promise<Observation>;
  /** What the manifest asks for, in this platform's components and names. */
  desired(): Desired;
  /** Carries out one action. May be repeated. Rejects with a PgherdError that says what state it left. */
  apply(action: PlatformAction, context: ApplyContext): Promise<void>;
  /** Patroni's operations, on the member that has to carry them out. */
  patroni: PatroniOperations;
  /** Ways in, for clients and for commands. */
  readonly access: Access;
  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  journal: Journal;
  /** The cluster was marked for drills (`up --allow-drills`). */
  readonly drillsAllowed: boolean;
  readonly faults: Faults;
  /** What planned moves and restarts of the primary are made of. */
  readonly moves: Moves;
  /** Begins to watch the primary closely. */
  sentinel(): Sentinel;
  /** Who holds the leader key; undefined: nobody. Rejects when the DCS does not answer. */
  leader(signal: AbortSignal): Promise<string | undefined>;
  /** Physical backups. */
  readonly backups: Backups;
  readonly restores: Restores;
  /** Logical backups. */
  readonly dumps: Dumps;
  /** Serialises changes. Rejects with LockedError that names the holder when `waitMs` passes. */
  lock(
    operation: string,
    options: { waitMs: number; signal: AbortSignal; onWait?(holder: string): void },
  ): Promise<AsyncDisposable>;
}

/** Moves and restarts of the primary are choreographed above, with `patroni` and `moves`. */
export type PlatformAction = Exclude<Action, { kind: 'switchover' | 'restart-member' }>;

/** The sentinel's senses and hands on one cluster. All times are milliseconds of performance.now(). */
export interface Sentinel extends AsyncDisposable {
  /** How far apart looks may be while all is well. */
  readonly calmMs: number;
  /** Who is a member, and what is being done to the cluster. */
  sight(): Promise<Sight>;
  /** What the probes have found out since the last call. Never waits for a probe. */
  sample(aim: Aim): Promise<SenseSample>;
  /** Deletes the leader key if it has this revision still; resolves with whether it was deleted. */
  revoke(options: { leader: string; revision: string }): Promise<boolean>;
  /** Kills PostgreSQL on the member's own host; resolves with whether there was anything to kill. */
  fence(member: string): Promise<boolean>;
  /** Makes the loop of the member's Patroni run now. Never rejects. */
  wake(member: string): Promise<void>;
}

export type Sight = Pick<Setting, 'members' | 'paused' | 'operation'>;

export interface Aim {
  /** Whom the leader key names; undefined: nobody yet. */
  member: string | undefined;
  /** Ask faster, and ask the other hosts as well. */
  doubt: boolean;
  /** Somebody operates on the cluster: leave its servers in peace, and read the leader key only. */
  busy: boolean;
  /** Called at once when the member's end closes the idle session: nobody need wait for the next look. */
  onAlarm(): void;
}

export type SenseSample = Omit<Sample, 'at' | 'ownLateMs' | 'setting' | 'fenced'>;

/** What a platform can break on purpose. Everything broken is registered with its undo before it is broken. */
export interface Faults {
  /** Why this fault cannot be injected here (a sentence for people, with the remedy); undefined: it can. */
  obstacle(fault: Fault): Promise<string | undefined>;
  /** Rejects with a PgherdError when the fault could not be injected; nothing is left behind then. */
  inject(fault: Fault, signal: AbortSignal): Promise<Injection>;
  /** Faults that are registered and not undone, oldest first. */
  registered(): Promise<RegisteredFault[]>;
  /**
   * Undoes registered faults: all, or only those whose process has died. May be repeated. Resolves with one
   * sentence for each act.
   */
  undo(which: 'all' | 'orphaned', context: ApplyContext): Promise<string[]>;
}

export interface Injection {
  /** Unix time in milliseconds when the first act of the injection was done. */
  at: number;
  /** What was done, exactly: "SIGKILL to postmaster 4711 of demo-0". */
  description: string;
  /** Why it is weaker than the fault that was asked for; undefined: it is that fault. */
  weaker: string | undefined;
  /** Takes the fault back and out of the register. May be repeated. */
  undo(signal: AbortSignal): Promise<void>;
}

export interface RegisteredFault {
  id: string;
  fault: Fault;
  /** ISO 8601. */
  at: string;
  description: string;
  /** The process that injected it still runs. */
  owned: boolean;
  /** Something stays broken until the undo. A process that was killed is an event that is over. */
  inForce: boolean;
}

export interface PatroniOperations {
  /** Planned move of the primary. `to` undefined: Patroni chooses. Resolves when the new primary is named. */
  switchover(options: { from: string; to: string | undefined }, signal: AbortSignal): Promise<void>;
  /** Move without a primary, or away from one that is broken. */
  failover(options: { to: string }, signal: AbortSignal): Promise<void>;
  restart(member: string, signal: AbortSignal): Promise<void>;
  reinitialise(member: string, signal: AbortSignal): Promise<void>;
}

export interface LogOptions {
  follow: boolean;
  /** Only lines at or after this moment. */
  since: Date | undefined;
  /** Component names; empty: all. */
  components: string[];
  /** Last N lines of the merged stream before following; undefined: all. */
  tail: number | undefined;
}

export interface LogLine {
  /** ISO 8601 with milliseconds, as stamped by the machine that ran the server. */
  at: string;
  component: string;
  text: string;
}

export interface JournalEntry {
  at: string;
  /** A person's command or the control plane: `up`, `switchover`, `keeper`. */
  actor: string;
  /** Stable, kebab-case: `member-lost`, `role-changed`, `step-done`, `step-failed`. */
  event: string;
  subject: string;
  message: string;
  reason: string | undefined;
}

export interface Journal {
  append(entry: Omit<JournalEntry, 'at'>): Promise<void>;
  /** Oldest first. */
  read(options: { since: Date | undefined }): Promise<JournalEntry[]>;
}
