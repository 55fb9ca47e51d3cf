import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RefusedError } from '../../lib/errors.ts';
import { CommandError, run } from '../../lib/exec.ts';
import { writeAtomically } from '../../lib/files.ts';
import type { ClusterRecord } from './record.ts';

/** The least that postgres takes for a data directory. */
const SKELETON = ['global', 'pg_notify', 'pg_dynshmem', 'pg_stat', 'pg_stat_tmp', 'pg_subtrans'];

/**
 * Lets the real server judge its parameters before any member sees them: `postgres --check` reads them all and
 * takes the shared memory they ask for, in a directory of its own, and ends. A value that it refuses thus never
 * reaches a primary. Rejects with RefusedError that holds PostgreSQL's own words.
 */
export async function checkParameters(
  parameters: Record<string, string>,
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'pgherd-check-'));
  const asRoot = process.getuid?.() === 0;
  const owner = asRoot ? { uid: record.serviceUser.uid, gid: record.serviceUser.gid } : undefined;
  try {
    await Promise.all(SKELETON.map(name => mkdir(join(scratch, name))));
    await writeAtomically(join(scratch, 'PG_VERSION'), `${record.postgres.major}\n`, { mode: 0o600, owner });
    const lines = Object.entries(parameters).map(
      ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
    );
    await writeAtomically(join(scratch, 'postgresql.conf'), lines.join(''), { mode: 0o600, owner });
    await writeAtomically(join(scratch, 'postgresql.auto.conf'), '', { mode: 0o600, owner });
    if (owner !== undefined) {
      for (const path of ['.', ...SKELETON]) await chown(join(scratch, path), owner.uid, owner.gid);
    }
    const options = { signal, timeoutMs: 20_000, cwd: scratch, ...owner };
    const postgres = join(record.postgres.binDir, 'postgres');
    await run([postgres, '--check', '-D', scratch, '-c', 'log_min_messages=warning'], options);
    // Asked for what it would compute at its start, the server loads shared_preload_libraries as well (since 15).
    if (record.postgres.major >= 15)
      await run([postgres, '-D', scratch, '-C', 'shared_memory_size'], options);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new RefusedError({
      code: 'parameter-refused',
      message: `PostgreSQL ${record.postgres.version} refuses the parameters: ${firstComplaint(error.stderr)}`,
      detail: error.stderr.trim(),
      hint: 'correct spec.postgresql.parameters (or resources) in the manifest; nothing was changed',
      cause: error,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** PostgreSQL's sentence without time stamp and process id. */
function firstComplaint(stderr: string): string {
  const line =
    stderr.split('\n').find(text => /\b(FATAL|LOG|ERROR|PANIC):/.test(text)) ?? stderr.split('\n')[0] ?? '';
  return line.replace(/^.*?\b(FATAL|LOG|ERROR|PANIC):\s*/, '');
}
