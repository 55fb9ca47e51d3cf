/** Taking one backup, and deleting what retention does not keep. */
import type { BackupSet, BackupType } from '../../../core/schedule/facts.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { parseExpire } from '../../../engine/pgbackrest/expire.ts';
import { parseInfo, TYPE_NAMES } from '../../../engine/pgbackrest/info.ts';
import { newLabelOf, percentOf } from '../../../engine/pgbackrest/output.ts';
import { PgherdError } from '../../../lib/errors.ts';
import type { ApplyContext, BackupContext, Expired } from '../../contract.ts';
import type { LocalBackupInput } from './input.ts';
import { backupPaths } from './paths.ts';
import { serverOptions } from './provision.ts';
import type { Repository } from './repositories.ts';
import { runTool } from './tool.ts';

/** A terabyte over a slow line. */
const BACKUP_MS = 48 * 3_600_000;
const EXPIRE_MS = 3_600_000;
const INFO_MS = 60_000;
/** How long the WAL of the backup may take to reach the repository. */
const WAL_SECONDS = 120;
/** Between two calls of `percent`. */
const TELL_EVERY_MS = 300;

export async function takeBackup(
  repository: Repository,
  type: BackupType,
  input: LocalBackupInput,
  context: BackupContext,
): Promise<BackupSet> {
  const { signal } = context;
  const { primary, standby } = chooseServers(await input.members(signal), repository);
  const from = standby ?? primary;
  context.progress(`${type} backup of ${from} into ${repository.name}`);
  let output = '';
  let told = 0;
  const result = await runTool(input.record(), {
    args: [
      'backup',
      `--type=${TYPE_NAMES[type]}`,
      `--archive-timeout=${WAL_SECONDS}`,
      '--log-level-console=detail',
      ...serverOptions(input, primary, 1),
      ...(standby === undefined ? [] : [...serverOptions(input, standby, 2), '--backup-standby']),
    ],
    config: backupPaths(input.paths).confOf(repository.name),
    stanza: input.spec.name,
    what: `${type} backup into ${repository.name}`,
    signal,
    timeoutMs: BACKUP_MS,
    onOutput: (text, stream) => {
      if (stream === 'stderr') return;
      // The label stands in the last lines; what went before was told.
      output = `${output}${text}`.slice(-65_536);
      const percent = percentOf(text);
      const now = Date.now();
      if (percent === undefined || now - told < TELL_EVERY_MS) return;
      told = now;
      context.percent?.(percent);
      context.progress(`${type} backup of ${from} into ${repository.name}: ${Math.round(percent)} %`);
    },
  });
  const label = newLabelOf(output) ?? newLabelOf(result.stdout);
  const backups = await list(repository, input, signal);
  const taken = backups.find(backup => backup.id === label);
  if (taken !== undefined) return taken;
  throw new PgherdError({
    code: 'backup-not-listed',
    message: `pgbackrest has taken the backup ${label ?? 'without a name'}, and ${repository.name} does not list it`,
    hint: 'take another one; `pgherd verify` shows what is wrong with the repository',
  });
}

/** The primary, and the standby that the files are copied from: the copy's own member, or one that has no lag. */
function chooseServers(
  members: MemberObservation[],
  { member }: Repository,
): { primary: string; standby: string | undefined } {
  const [primary, other] = members.filter(candidate => candidate.role === 'primary');
  if (primary === undefined || other !== undefined) {
    throw new PgherdError({
      code: 'no-primary',
      message: 'a backup needs a primary, and there is not exactly one now',
      hint: 'see `pgherd status`; the next run will find one',
    });
  }
  const streaming = members
    .filter(candidate => candidate.role === 'standby' && candidate.state === 'streaming')
    // A synchronous standby answers for every commit: another one has more time.
    .sort(
      (a, b) =>
        Number(b.name === member) - Number(a.name === member) ||
        Number(a.synchronous) - Number(b.synchronous),
    );
  return { primary: primary.name, standby: streaming[0]?.name };
}

async function list(
  repository: Repository,
  { record, paths, spec }: LocalBackupInput,
  signal: AbortSignal,
): Promise<BackupSet[]> {
  const { stdout } = await runTool(record(), {
    args: ['info', '--output=json'],
    config: backupPaths(paths).confOf(repository.name),
    stanza: spec.name,
    what: `looking at ${repository.name}`,
    signal,
    timeoutMs: INFO_MS,
  });
  return parseInfo(stdout).backups.map(backup => ({ ...backup, repository: repository.name }));
}

export async function expireBackups(
  repository: Repository,
  dryRun: boolean,
  { record, paths, spec }: LocalBackupInput,
  { signal }: ApplyContext,
): Promise<Expired> {
  const { stdout } = await runTool(record(), {
    args: ['expire', '--log-level-console=detail', ...(dryRun ? ['--dry-run'] : [])],
    config: backupPaths(paths).confOf(repository.name),
    stanza: spec.name,
    what: `expiring backups in ${repository.name}`,
    signal,
    timeoutMs: EXPIRE_MS,
  });
  return { repository: repository.name, ...parseExpire(stdout) };
}
