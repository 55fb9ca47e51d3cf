/** Where what belongs to backups lies on this machine: pure arithmetic over paths. */
import { join } from 'node:path';
import { shellQuote } from '../../../lib/shell.ts';
import type { Paths } from '../layout.ts';

export interface BackupPaths {
  /** Members' copies, one directory each, beside their data and not among them. */
  root: string;
  copy(member: string): string;
  /** Small documents that outlive processes. */
  memory: string;
  /** Configuration with passphrases: for the servers' user alone. */
  conf: string;
  /** Configuration of one repository, which is repo1 there. */
  confOf(repository: string): string;
  /** Configuration with all repositories, for archive-push and archive-get. */
  archiveConf: string;
  /** What PostgreSQL calls for each WAL segment. pgBackRest refuses a command that does not name it. */
  archiveScript: string;
  /** There once a repository was made: before that PostgreSQL's tries need not cost anything. */
  made: string;
  /** What the last failed try to archive said; gone when it works. */
  failure: string;
  /** pgBackRest's own lock and status files. */
  lockOf(repository: string): string;
  spool: string;
  /** Kernel lock for backup work on the cluster. */
  lock: string;
  key: string;
}

export function backupPaths(paths: Paths): BackupPaths {
  const root = join(paths.root, 'backups');
  const conf = join(paths.conf, 'backup');
  const run = join(paths.run, 'backup');
  // A slash tells a member's copy from a repository of the manifest, whose name has none, and no "@" either.
  const file = (repository: string) => repository.replace('/', '@');
  return {
    root,
    copy: member => join(root, member),
    memory: join(root, 'memory'),
    conf,
    confOf: repository => join(conf, `${file(repository)}.conf`),
    archiveConf: join(conf, 'archive.conf'),
    archiveScript: join(conf, 'pgbackrest-push'),
    made: join(conf, 'made'),
    failure: join(run, 'failure'),
    lockOf: repository => join(run, 'lock', file(repository)),
    spool: join(run, 'spool'),
    lock: join(paths.root, 'backup.lock'),
    key: join(paths.secrets, 'backup-key'),
  };
}

/** What PostgreSQL runs for each segment. Its parameters know "%" as a sign. */
export function archiveCommand(paths: Paths): string {
  return `${shellQuote(backupPaths(paths).archiveScript).replaceAll('%', '%%')} %p`;
}
