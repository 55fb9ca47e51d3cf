/**
 * What a platform offers for backups. `src/backup` decides what happens in which order, through this alone;
 * pgBackRest, pg_dump and the places where files lie are the platform's business.
 *
 * Restores and logical backups have contracts of their own (contractRestore.ts, contractLogical.ts). Whoever changes anything holds `lock` first: two at once are refused with the name of the holder.
 */
import type {
  ArchiverFacts,
  BackupObservation,
  BackupSet,
  BackupType,
  KeyFacts,
} from '../core/schedule/facts.ts';
import type { ApplyContext } from './contract.ts';

export interface Backups {
  /** Names of the repositories that the manifest asks for, as in RepositoryFacts. No IO. */
  readonly repositories: string[];
  /** `archive`: read also which WAL each repository holds, gaps included: slower with much WAL. */
  observe(options: { archive: boolean }, signal: AbortSignal): Promise<BackupObservation>;
  /** The archiver alone, for who looks every few seconds. undefined: no primary answers, or no archive is wanted. */
  archiver(signal: AbortSignal): Promise<ArchiverFacts | undefined>;
  /**
   * Sees to it that every repository can take WAL and backups: key, configuration, places, stanzas. What was lost
   * is made again, empty. May be repeated, and costs little when all is well. A repository that cannot be made is
   * left to the next call; resolves with one sentence for each thing done and each that could not be.
   */
  provision(
    signal: AbortSignal,
  ): Promise<{ done: string[]; failed: { repository: string; problem: string }[] }>;
  /**
   * Takes one backup into one repository, from a standby where one streams, and resolves with it once it is
   * complete. Interrupted at any point, the repository lists nothing of it; the next one tidies up or goes on.
   * A differential or incremental one that has nothing to build on becomes a full one.
   */
  backup(options: { repository: string; type: BackupType }, context: BackupContext): Promise<BackupSet>;
  /** Deletes what retention does not keep. `dryRun` deletes nothing. Resolves with what goes. */
  expire(options: { repository: string; dryRun: boolean }, context: ApplyContext): Promise<Expired>;
  /** Serialises backup work on this cluster, across processes. Rejects with LockedError that names the holder. */
  lock(
    operation: string,
    options: { waitMs: number; signal: AbortSignal; onWait?(holder: string): void },
  ): Promise<AsyncDisposable>;
  /** The encryption key with what somebody needs to use it elsewhere. undefined: nothing is encrypted. */
  readKey(): Promise<{ facts: KeyFacts; key: string } | undefined>;
  /** Notes that the key is kept elsewhere now. */
  noteKeySaved(): Promise<void>;
  /** Takes a key from elsewhere before anything is encrypted here: for a restore on a bare machine. */
  importKey(key: string): Promise<void>;
  /** Small notes that outlive processes: when what was run last, what was proven when. */
  readonly memory: BackupMemory;
}

export interface BackupContext extends ApplyContext {
  /** 0 to 100, as far as the tool tells; at most a few per second. */
  percent?(done: number): void;
}

export interface Expired {
  repository: string;
  /** Labels of backups, oldest first. */
  backups: string[];
  /** Ranges of WAL segments. */
  wal: { first: string; last: string }[];
}

/** Documents by name (kebab-case), written atomically beside the cluster, gone with it. */
export interface BackupMemory {
  /** undefined: never written, or unreadable. The reader checks the shape. */
  read(name: string): Promise<unknown>;
  write(name: string, document: unknown): Promise<void>;
}
