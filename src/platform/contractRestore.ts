/**
 * What a platform offers for restores. A backup is always restored beside the cluster, into a `Scratch`: a server of
 * its own that only the scratch's owner reaches, that takes no write and archives nowhere. What becomes of it
 * (looked at, thrown away, put in the place of the data) is decided in `src/backup`.
 *
 * The caller holds `Backups.lock` for all but `scratches`.
 */
import type { StoredDump } from '../core/schedule/dump.ts';
import type { RecoveryTarget } from '../core/schedule/target.ts';
import type { ApplyContext } from './contract.ts';
import type { BackupContext } from './contractBackup.ts';

export interface Restores {
  /** Makes what a restore stands on where there is no cluster yet. */
  prepare(): Promise<void>;
  /**
   * Has everything archived that the primary has committed up to now, and waits for it. Resolves with whether that is
   * so: false where no primary answers, or the archive takes nothing.
   */
  archiveNow(signal: AbortSignal): Promise<boolean>;
  /**
   * Restores a backup, replays WAL up to the target, and ends recovery there. Rejects with DamagedBackupError when
   * what the repository holds cannot be used, with TargetNotReachedError when the WAL ends before a target that has
   * to be met; nothing is left behind then. A time after the last commit is met by the last commit.
   */
  restoreInto(options: RestoreOptions, context: BackupContext): Promise<Scratch>;
  /** Scratches that exist, whole or not, oldest first. */
  scratches(): Promise<ScratchRecord[]>;
  /** One that is whole; starts its server where it does not run. Rejects with a RefusedError when there is none. */
  open(id: string, signal: AbortSignal): Promise<Scratch>;
  /** Stops and deletes one. May be repeated. */
  discard(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Brings a scratch to where the cluster's data are, passwords included, while the cluster serves: what `swapIn` has to
   * do then is short. Does nothing where that is not needed. Refuses what could not be put in place. May be repeated.
   */
  bring(scratch: ScratchRecord, context: ApplyContext): Promise<void>;
  /**
   * Puts a scratch, of this cluster or another one, in the place of the cluster's data: every member stopped, old
   * data set aside until `keepUntil`, the first member started on the scratch as the primary, the others left
   * without data, so that they are built from it. Endpoints and passwords stay. The caller holds the cluster's lock
   * as well. Killed in between, the next call with the same scratch finishes it.
   */
  swapIn(scratch: ScratchRecord, options: SwapOptions, context: ApplyContext): Promise<SwapResult>;
  /** The scratch whose `swapIn` was begun and not finished. */
  unfinishedSwap(): Promise<ScratchRecord | undefined>;
  /** Deletes data that were set aside and whose time has come. Resolves with the paths. */
  sweep(now: Date): Promise<string[]>;
  /**
   * Copies tables from a scratch into the primary, all or nothing. They come as they are in the scratch; what stands in
   * their way there makes it fail.
   */
  copyTables(
    scratch: Scratch,
    options: { database: string; tables: string[] },
    context: ApplyContext,
  ): Promise<void>;
  /**
   * Loads one database of a dump into the primary, all or nothing, and makes the database and roles that are missing.
   * Rejects with a RefusedError when the database has tables. Resolves with how many it has then.
   */
  loadDump(
    dump: StoredDump,
    options: { database: string; into: string },
    context: ApplyContext,
  ): Promise<{ tables: number }>;
  /** A session of the superuser on the primary. */
  primarySession(database: string, signal: AbortSignal): Promise<SqlSession>;
  /**
   * Reads everything that a repository holds, and names the files that are missing or not what was written; the first
   * few, one sentence each. Takes as long as reading it all takes.
   */
  nameDamage(repository: string, signal: AbortSignal): Promise<string[]>;
  /** Whether a repository can give a segment. */
  checkSegment(repository: string, segment: string, signal: AbortSignal): Promise<SegmentState>;
}

/** unknown: there is nothing here to ask with. */
export type SegmentState = 'good' | 'missing' | 'damaged' | 'unknown';

export interface RestoreOptions {
  repository: string;
  /** Label of the backup. */
  backup: string;
  /** undefined: to the end of the archive. */
  target: RecoveryTarget | undefined;
  /** To follow; undefined: the newest that came from the backup's. */
  timeline: number | undefined;
  /** Size of the data directory that it holds. */
  databaseBytes: number;
  /** WAL from this repository only: for a proof of what it holds. Otherwise the others stand in for it. */
  alone: boolean;
  purpose: ScratchPurpose;
}

export type ScratchPurpose = 'verify' | 'restore' | 'table' | 'clone';

export interface ScratchRecord {
  id: string;
  purpose: ScratchPurpose;
  /** ISO 8601. */
  createdAt: string;
  directory: string;
  /** Of its server's socket. */
  socketDirectory: string;
  repository: string;
  backup: string;
  target: RecoveryTarget | undefined;
  /** undefined: it is not whole: being made, or left of a process that died. */
  reached: Reached | undefined;
  /** The process that made it still runs. */
  owned: boolean;
  /** How long the copy and the replay took. */
  restoredMs: number;
  replayedMs: number;
}

/** Where recovery ended. */
export interface Reached {
  /** Of the last commit that was replayed; undefined: none was, so the backup's own end counts. */
  lastCommitAt: string | undefined;
  lsn: string;
  /** The timeline that was begun there. */
  timeline: number;
  /** Why it ended there, in PostgreSQL's words ("before 2026-11-22 17:52:20.531814+00"). */
  reason: string;
  /** The WAL ended before the time that was asked for: no later commit was archived. */
  endOfArchive: boolean;
}

/** One session; statements one after the other. */
export interface SqlSession extends AsyncDisposable {
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

export interface Scratch extends ScratchRecord {
  reached: Reached;
  /** How its owner connects to it as superuser, without a password. `prefix`: words that lead psql to the socket. */
  connection: { socketDirectory: string; port: number; user: string; prefix?: string[] };
  session(database: string, signal: AbortSignal): Promise<SqlSession>;
  /** Checks the structure of every table and index (pg_amcheck). Resolves with what is wrong, one line each. */
  checkStructure(context: ApplyContext): Promise<string[]>;
  /** Stops the server and checks every page's checksum. Resolves with what is wrong; undefined: there are none. */
  checkPages(context: ApplyContext): Promise<string[] | undefined>;
}

export interface SwapOptions {
  keepUntil: Date;
  /** Called once it is noted that a swap was begun, before anything is touched. */
  onBegun?(): Promise<void>;
}

export interface SwapResult {
  primary: string;
  /** Paths of the old data. */
  aside: string[];
  /** The platform builds the other members, and whatever else the manifest asks for, by itself. */
  othersFollow: boolean;
}
