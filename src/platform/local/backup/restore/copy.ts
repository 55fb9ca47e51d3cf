/** Copying a backup out of a repository with pgbackrest. */
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgBackRestError } from '../../../../engine/pgbackrest/errors.ts';
import { damagedFiles } from '../../../../engine/pgbackrest/output.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import { shellQuote } from '../../../../lib/shell.ts';
import type { BackupContext, RestoreOptions, SegmentState } from '../../../contract.ts';
import type { ClusterRecord } from '../../record.ts';
import type { LocalBackupInput } from '../input.ts';
import { backupPaths } from '../paths.ts';
import { asServersUser, runTool, toolEnvironment } from '../tool.ts';

/** A backup cannot be used as it lies in its repository; another one may. */
export class DamagedBackupError extends PgherdError {}

const COPY_MS = 24 * 3_600_000;
const FETCH_MS = 120_000;
/** Enough to act on. */
const NAMED_FILES = 10;
/** Of archive-get: there is no such segment. */
const NO_SEGMENT = 1;

/** As the servers' user: what is made belongs to them. */
export function asServer(record: ClusterRecord): { uid?: number; gid?: number; env: Record<string, string> } {
  return { ...asServersUser(record), env: { ...toolEnvironment(), TZ: 'UTC' } };
}

/** Restores a backup into an empty directory. Leaves what it has copied when it fails. */
export async function copyBackup(
  { record, paths, spec }: LocalBackupInput,
  options: RestoreOptions,
  place: { data: string; tablespaces: string; processes: number },
  context: BackupContext,
): Promise<void> {
  const { repository, backup } = options;
  const args = [
    'restore',
    `--pg1-path=${place.data}`,
    `--set=${backup}`,
    // Recovery is our server's business: pgbackrest writes no settings for it.
    '--type=none',
    `--tablespace-map-all=${place.tablespaces}`,
    `--process-max=${place.processes}`,
    // A file that is damaged stays damaged: without this it is tried again after 15 s.
    '--job-retry=0',
    '--log-level-console=detail',
  ];
  let rest = '';
  let told = 0;
  const onOutput = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    const percent = lines.map(line => /, (\d+(?:\.\d+)?)%\)/.exec(line)?.[1]).findLast(Boolean);
    if (percent === undefined || Date.now() - told < 250) return;
    told = Date.now();
    context.percent?.(Number(percent));
  };
  try {
    await runTool(record(), {
      args,
      config: backupPaths(paths).confOf(repository),
      stanza: spec.name,
      what: `backup ${backup} in ${repository}`,
      signal: context.signal,
      timeoutMs: COPY_MS,
      onOutput,
      // Of the list of files only the errors at its end are of use.
      maxOutputBytes: 64 * 1024,
    });
  } catch (error) {
    context.signal.throwIfAborted();
    throw asDamaged(error);
  }
}

/**
 * The restore_command: %f is the segment, %p where it goes. From one repository alone, or from the first that has the
 * segment whole.
 */
export function restoreCommand(
  { record, paths, spec }: LocalBackupInput,
  data: string,
  repository: string | undefined,
): string {
  const own = backupPaths(paths);
  const words = [
    record().programs.pgbackrest,
    `--config=${repository === undefined ? own.archiveConf : own.confOf(repository)}`,
    `--stanza=${spec.name}`,
    `--pg1-path=${data}`,
    'archive-get',
  ];
  return `${words.map(shellQuote).join(' ').replaceAll('%', '%%')} %f "%p"`;
}

/** Fetches one segment from one repository to see whether it can be had. `data`: a data directory of the cluster. */
export async function trySegment(
  { record, paths, spec }: LocalBackupInput,
  data: string,
  repository: string,
  segment: string,
  signal: AbortSignal,
): Promise<SegmentState> {
  const owner = asServersUser(record());
  const directory = await mkdtemp(join(tmpdir(), 'pgherd-segment-'));
  try {
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(directory, owner.uid, owner.gid);
    await runTool(record(), {
      // It compares the archive with the control file there.
      args: ['archive-get', `--pg1-path=${data}`, segment, join(directory, 'segment')],
      config: backupPaths(paths).confOf(repository),
      stanza: spec.name,
      what: `segment ${segment} in ${repository}`,
      signal,
      timeoutMs: FETCH_MS,
    });
    return 'good';
  } catch (error) {
    if (!(error instanceof PgBackRestError)) throw error;
    return error.exitCode === NO_SEGMENT ? 'missing' : 'damaged';
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** pgBackRest's own look at a repository. It tells names in its log only, and ends with 0 whatever it finds. */
export async function nameDamage(
  { record, paths, spec }: LocalBackupInput,
  repository: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { stdout } = await runTool(record(), {
    args: ['verify', '--log-level-console=info'],
    config: backupPaths(paths).confOf(repository),
    stanza: spec.name,
    what: `reading ${repository}`,
    signal,
    timeoutMs: COPY_MS,
  });
  return damagedFiles(stdout).slice(0, NAMED_FILES);
}

/** Errors by which pgbackrest says that it cannot use what is there. What this machine lacks is no damage. */
function asDamaged(error: unknown): unknown {
  if (!(error instanceof PgBackRestError)) return error;
  const { code, message, detail, hint } = error;
  return new DamagedBackupError({
    code: 'backup-damaged',
    message,
    detail: detail ?? code,
    hint,
    cause: error,
  });
}
