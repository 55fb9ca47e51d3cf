/**
 * What is known of a cluster's backups: plain data, the same on every platform. What could not be seen is
 * undefined, never guessed. Times are ISO 8601 in UTC; pgBackRest knows whole seconds only.
 */

import type { Proof } from './proof.ts';

export type BackupType = 'full' | 'differential' | 'incremental';

/** Everything about the physical backups of a cluster at one moment. */
export interface BackupObservation {
  observedAt: string;
  /** In the order of the manifest; a `members` repository gives one for each member. Empty: none are wanted. */
  repositories: RepositoryFacts[];
  /** undefined: there is no primary that answers. */
  archiver: ArchiverFacts | undefined;
  /** undefined: nothing is encrypted. */
  key: KeyFacts | undefined;
  /** Scheduled work whose last run failed; undefined: not asked for. */
  failedWork?: FailedWork[];
  /** What restores of these backups have shown; undefined: not asked for. */
  proofs?: Proof[];
  /** What restores have left for a person to decide; undefined: not asked for. */
  restores?: RestoreFacts;
  /** What is set aside, oldest first; undefined: not asked for. */
  aside?: AsideFacts[];
}

export interface RestoreFacts {
  /** Whole ones beside the cluster, oldest first. They stay until somebody decides. */
  waiting: WaitingRestore[];
  /** A cutover that was begun and is not finished; undefined: there is none. */
  cutover: { id: string; target: string } | undefined;
}

export interface WaitingRestore {
  id: string;
  createdAt: string;
  /** For people: what it was restored to. */
  target: string;
  /** Of the last commit that it holds; undefined: none since the backup. */
  lastCommitAt: string | undefined;
}

export interface AsideFacts {
  path: string;
  /** Why it is there, for people; undefined: nobody noted it. */
  why: string | undefined;
  /** When it is deleted; undefined: by hand only. */
  keepUntil: string | undefined;
}

export interface FailedWork {
  /** Completes "… failed": "the logical backup", "the backup into nas". */
  what: string;
  /** When it was last tried. */
  at: string;
  /** Tries in a row. */
  tries: number;
  message: string;
}

export interface RepositoryFacts {
  /** `nas`; of a copy for a member: `members/demo-0`. Commands take it with --repo or --from. */
  name: string;
  kind: 'members' | 'directory' | 's3' | 'sftp';
  /** Path or address for people; no secret in it. */
  where: string;
  /**
   * ready: it takes WAL and backups. empty: reachable, but nothing has been made in it yet, or what was in it is
   * lost. full, read-only, unreachable, failing: it takes nothing. damaged: what is in it cannot be read.
   */
  state: 'ready' | 'empty' | 'full' | 'read-only' | 'unreachable' | 'failing' | 'damaged';
  /** What went wrong, in one sentence; undefined when it is ready. */
  problem: string | undefined;
  /** Of the file system; undefined where that cannot be told. */
  freeBytes: number | undefined;
  encrypted: boolean;
  /** Complete backups only, oldest first. */
  backups: BackupSet[];
  /** undefined: not asked for, or unreadable. */
  archive: ArchiveFacts | undefined;
}

export interface BackupSet {
  /** pgBackRest's label: 20261122-010000F_20261123-010000D. The same label may be in several repositories. */
  id: string;
  repository: string;
  type: BackupType;
  startedAt: string;
  finishedAt: string;
  /** Labels that it is restored with, itself left out. */
  needs: string[];
  timeline: number;
  /** First and last WAL segment without which it is not consistent. */
  wal: { first: string; last: string };
  /** Consistent from `stop` on. */
  lsn: { start: string; stop: string };
  /** Size of the data directory that it holds. */
  databaseBytes: number;
  /** What it takes in the repository with all that it needs, and by itself. */
  repositoryBytes: number;
  ownBytes: number;
  /** Pages whose checksum was wrong when they were copied: the database was damaged, not the backup. */
  pageErrors: boolean;
}

/** The WAL that a repository holds. */
export interface ArchiveFacts {
  /** Whole segments without a gap between them, by timeline and position. More than one of a timeline: gaps. */
  ranges: SegmentRange[];
  /** Where each timeline branched off, as the archive's history files tell. */
  timelines: TimelineFacts[];
}

export interface SegmentRange {
  timeline: number;
  first: string;
  last: string;
  count: number;
}

export interface TimelineFacts {
  timeline: number;
  /** Oldest first. A timeline ends where the next one began. */
  parents: { timeline: number; endLsn: string }[];
  /** When its history came into the archive: not before it began. undefined: the storage does not tell. */
  begunAt?: string | undefined;
}

/** How archiving goes on the primary. */
export interface ArchiverFacts {
  /** Member that archives. */
  primary: string;
  /** PostgreSQL archives. False: it will after a restart that is due. */
  on: boolean;
  lastArchived: { segment: string; at: string } | undefined;
  /** The last try failed, and has failed since; undefined: it works, or has not been tried. */
  failingSince: string | undefined;
  /** What the last failed try said. */
  failure: string | undefined;
  /** Names of those that it speaks of. */
  failingRepositories?: string[];
  /** Segments that wait to be archived. */
  waiting: number;
  /** What the volume with the WAL has left. */
  freeBytes: number | undefined;
  /** Until that is full, at the pace of the last minutes; undefined while nothing waits or the pace is unknown. */
  fullInSeconds: number | undefined;
  /** Where the primary is now: what a restore to "now" would have to reach. */
  lsn: string | undefined;
}

export interface KeyFacts {
  /** Short fingerprint, to tell keys apart. No secret. */
  fingerprint: string;
  /** When somebody said that it is kept elsewhere; undefined: never. */
  savedAt: string | undefined;
}
