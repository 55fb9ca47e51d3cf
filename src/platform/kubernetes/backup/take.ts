/** Taking one backup, and deleting what retention does not keep. */
import { performance } from 'node:perf_hooks';
import type { BackupSet, BackupType } from '../../../core/schedule/facts.ts';
import { parseExpire } from '../../../engine/pgbackrest/expire.ts';
import { parseInfo, TYPE_NAMES } from '../../../engine/pgbackrest/info.ts';
import { newLabelOf, percentOf } from '../../../engine/pgbackrest/output.ts';
import { PgherdError } from '../../../lib/errors.ts';
import type { BackupContext, Expired } from '../../contract.ts';
import type { PodRepository } from '../objects/repositories.ts';
import type { KubeBackupInput } from './input.ts';
import { runTool } from './tool.ts';

/** A terabyte over a slow line. */
const BACKUP_MS = 48 * 3_600_000;
const EXPIRE_MS = 3_600_000;
const INFO_MS = 60_000;
/** How long the WAL of the backup may take to reach the repository. */
const WAL_SECONDS = 120;
/** Between two calls of `percent`. */
const TELL_EVERY_MS = 300;

/** In the primary's pod: pgBackRest would have to log in to the primary from a standby's. */
export async function takeBackup(
  repository: PodRepository,
  type: BackupType,
  primary: string,
  input: KubeBackupInput,
  context: BackupContext,
): Promise<BackupSet> {
  const { signal } = context;
  const what = `${type} backup into ${repository.name}`;
  context.progress(`${type} backup of ${primary} into ${repository.name}`);
  let told = 0;
  let seen = 0;
  const run = { pod: primary, config: repository.config, what, signal };
  const { stdout } = await runTool(input, {
    ...run,
    args: [
      'backup',
      `--type=${TYPE_NAMES[type]}`,
      `--archive-timeout=${WAL_SECONDS}`,
      '--log-level-console=detail',
      '--pg1-user=postgres',
    ],
    timeoutMs: BACKUP_MS,
    onStdout(text) {
      const now = performance.now();
      if (now - told < TELL_EVERY_MS) return;
      const percent = percentOf(text.slice(seen));
      seen = text.length;
      if (percent === undefined) return;
      told = now;
      context.percent?.(percent);
      context.progress(`${what}: ${Math.round(percent)} %`);
    },
  });
  const label = newLabelOf(stdout);
  const info = await runTool(input, { ...run, args: ['info', '--output=json'], timeoutMs: INFO_MS });
  const taken = parseInfo(info.stdout).backups.find(backup => backup.id === label);
  if (taken !== undefined) return { ...taken, repository: repository.name };
  throw new PgherdError({
    code: 'backup-not-listed',
    message: `pgbackrest has taken the backup ${label ?? 'without a name'}, and ${repository.name} does not list it`,
    hint: 'take another one; `pgherd verify` shows what is wrong with the repository',
  });
}

export async function expireBackups(
  repository: PodRepository,
  dryRun: boolean,
  pod: string,
  input: KubeBackupInput,
  signal: AbortSignal,
): Promise<Expired> {
  const { stdout } = await runTool(input, {
    args: ['expire', '--log-level-console=detail', ...(dryRun ? ['--dry-run'] : [])],
    pod,
    config: repository.config,
    what: `expiring backups in ${repository.name}`,
    timeoutMs: EXPIRE_MS,
    signal,
  });
  return { repository: repository.name, ...parseExpire(stdout) };
}
