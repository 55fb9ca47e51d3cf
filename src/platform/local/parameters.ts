import { access, chown, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RefusedError } from '../../lib/errors.ts';
import { CommandError, run } from '../../lib/exec.ts';
import { writeAtomically } from '../../lib/files.ts';
import type { ClusterRecord } from './record.ts';

const SCRATCH = '.check-';

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
  parent: string,
  signal: AbortSignal,
): Promise<void> {
  await checkLibraries(parameters, record);
  const scratch = await mkdtemp(join(parent, SCRATCH));
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

/** Deletes what runs that were killed left behind; another run's own directory is younger. */
export async function sweepScratch(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter(name => name.startsWith(SCRATCH));
  for (const path of names.map(name => join(parent, name))) {
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > 60_000) await rm(path, { recursive: true, force: true });
  }
}

/** `postgres --check` loads no libraries, but a server that lacks one does not start. */
async function checkLibraries(parameters: Record<string, string>, record: ClusterRecord): Promise<void> {
  const directory = join(dirname(record.postgres.binDir), 'lib');
  const names = (parameters.shared_preload_libraries ?? '')
    .split(',')
    .map(name => name.trim().replaceAll('"', ''));
  for (const name of names.filter(text => text !== '')) {
    const path = name.includes('/') ? name.replace('$libdir', directory) : join(directory, name);
    const found = await Promise.all(
      [path, `${path}.so`].map(file =>
        access(file).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (found.includes(true)) continue;
    throw new RefusedError({
      code: 'parameter-refused',
      message: `shared_preload_libraries names "${name}", which PostgreSQL ${record.postgres.version} does not have`,
      detail: `there is no ${path}.so`,
      hint: `install the package that brings it (often postgresql-${record.postgres.major}-…), or leave it out; nothing was changed`,
    });
  }
}

/** PostgreSQL's sentence without time stamp and process id. */
function firstComplaint(stderr: string): string {
  const line =
    stderr.split('\n').find(text => /\b(FATAL|LOG|ERROR|PANIC):/.test(text)) ?? stderr.split('\n')[0] ?? '';
  return line.replace(/^.*?\b(FATAL|LOG|ERROR|PANIC):\s*/, '');
}
