import { PgBackRestError } from '../../../../engine/pgbackrest/errors.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import type { BackupContext, RestoreOptions } from '../../../contract.ts';
import type { KubeBackupInput } from '../input.ts';
import { runTool } from '../tool.ts';
import { PLACES } from './shell.ts';

const COPY_MS = 24 * 3_600_000;

/** Restores a backup into the empty directory of a restore's pod. Rejects with `backup-damaged` where it cannot be. */
export async function copyBackup(
  pod: string,
  config: string,
  { repository, backup }: RestoreOptions,
  input: KubeBackupInput,
  context: BackupContext,
): Promise<void> {
  let seen = 0;
  try {
    await runTool(input, {
      args: [
        'restore',
        `--pg1-path=${PLACES.data}`,
        `--set=${backup}`,
        // Recovery is our server's business: pgbackrest writes no settings for it.
        '--type=none',
        `--tablespace-map-all=${PLACES.tablespaces}`,
        // A file that is damaged stays damaged: without this it is tried again after 15 s.
        '--job-retry=0',
        '--log-level-console=detail',
      ],
      pod,
      config,
      what: `backup ${backup} in ${repository}`,
      timeoutMs: COPY_MS,
      signal: context.signal,
      onStdout(text) {
        const percent = [...text.slice(seen).matchAll(/, (\d+(?:\.\d+)?)%\)/g)].at(-1)?.[1];
        seen = text.length;
        if (percent !== undefined) context.percent?.(Number(percent));
      },
    });
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof PgBackRestError)) throw error;
    const { code, message, detail, hint } = error;
    throw new PgherdError({ code: 'backup-damaged', message, detail: detail ?? code, hint, cause: error });
  }
}
