/** What a platform offers for logical backups ("dumps"): a place, and PostgreSQL's tools run against the primary. */
import type { DumpContents, DumpedFile, DumpFormat, StoredDump } from '../core/schedule/dump.ts';
import type { ApplyContext } from './contract.ts';

export interface Dumps {
  /** Looks at the place. What is wrong with it is in the answer; a share that hangs is waited for some seconds. */
  observe(signal: AbortSignal): Promise<DumpPlace>;
  /**
   * Begins a dump of the primary where nobody takes it for a complete one. Rejects with a RefusedError when the
   * place is not fit: not there, not writable, full, another file system than that of the last dump.
   * Removes what killed ones have left. The caller holds the lock of backups.
   */
  begin(options: { id: string; trustPlace: boolean }, context: ApplyContext): Promise<DumpInProgress>;
  /** Reads a dump again, and resolves with what is wrong with it: one sentence for each damaged file. */
  check(id: string, context: ApplyContext): Promise<string[]>;
  /** Deletes a dump. Killed half way, it is no complete dump any more. */
  remove(id: string, signal: AbortSignal): Promise<void>;
}

export interface DumpPlace {
  directory: string;
  /** "cifs", "nfs4", "ext4"; undefined: it could not be looked at. */
  fileSystem: string | undefined;
  freeBytes: number | undefined;
  /** Why no dump can be written or read there, with the remedy; undefined: nothing. */
  problem: string | undefined;
  /** Complete ones, oldest first. */
  dumps: StoredDump[];
}

/** Disposing of it before `seal` takes everything back. */
export interface DumpInProgress extends AsyncDisposable {
  /** Databases that allow connections, templates left out, by name. */
  readonly databases: string[];
  database(name: string, format: DumpFormat): Promise<DumpedFile>;
  /** Roles with their passwords' verifiers, tablespaces, settings of roles: SQL. */
  globals(): Promise<DumpedFile>;
  /** Makes everything durable, then lets it be seen under its id. */
  seal(summary: Pick<DumpContents, 'startedAt' | 'endedAt' | 'format' | 'files'>): Promise<StoredDump>;
}
