/** A database out of a logical backup into the primary. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredDump } from '../../../../core/schedule/dump.ts';
import { TABLES_SQL } from '../../../../engine/postgres/dump.ts';
import { missingRoles } from '../../../../engine/postgres/missingRoles.ts';
import { PgherdError, RefusedError } from '../../../../lib/errors.ts';
import { CommandError, run } from '../../../../lib/exec.ts';
import type { ApplyContext, SqlSession } from '../../../contract.ts';
import type { ClusterRecord } from '../../record.ts';
import { toolEnvironment } from '../tool.ts';

const LOAD_MS = 24 * 3_600_000;

export interface LoadMeans {
  session(database: string): Promise<SqlSession>;
  endpoint(database: string): Promise<{ conninfo: string; env: Record<string, string> }>;
}

/** Resolves with how many tables the database has then. */
export async function loadDump(
  record: ClusterRecord,
  dump: StoredDump,
  { database, into }: { database: string; into: string },
  means: LoadMeans,
  context: ApplyContext,
): Promise<{ tables: number }> {
  const file = dump.contents.files.find(candidate => candidate.database === database);
  if (file === undefined) {
    throw new RefusedError({
      code: 'not-in-dump',
      message: `the dump ${dump.id} holds no database "${database}"`,
      hint: `it holds ${dump.contents.files.flatMap(other => other.database ?? []).join(', ')}`,
    });
  }
  const made = await prepare(dump, file.owner ?? 'postgres', file.encoding ?? 'UTF8', into, means);
  context.progress(`loading ${database} of ${dump.id} into ${into}`);
  const program = (name: string) => join(record.postgres.binDir, name);
  const { conninfo, env } = await means.endpoint(into);
  const path = join(dump.path, file.file);
  const argv: [string, ...string[]] =
    dump.contents.format === 'custom'
      ? [program('pg_restore'), '--single-transaction', '--exit-on-error', `--dbname=${conninfo}`, path]
      : [program('psql'), '-X', '-q', '-v', 'ON_ERROR_STOP=1', '--single-transaction', '-f', path, conninfo];
  try {
    await run(argv, {
      signal: context.signal,
      timeoutMs: LOAD_MS,
      env: { ...toolEnvironment(), ...env },
      maxOutputBytes: 64 * 1024,
    });
  } catch (error) {
    if (made) await drop(into, means);
    if (!(error instanceof CommandError) || error.reason !== 'exit') throw error;
    throw new PgherdError({
      code: 'dump-not-loaded',
      message: `${database} of ${dump.id} could not be loaded; nothing of it was`,
      detail: error.detail,
      cause: error,
    });
  }
  await using session = await means.session(into);
  const [row] = await session.query(TABLES_SQL);
  return { tables: Number(row?.tables) };
}

/** Roles that are missing, and the database. Resolves with whether it was made. Refuses one that has tables. */
async function prepare(
  dump: StoredDump,
  owner: string,
  encoding: string,
  into: string,
  means: LoadMeans,
): Promise<boolean> {
  await using session = await means.session('postgres');
  const [known] = await session.query('SELECT FROM pg_database WHERE datname = $1', [into]);
  if (known !== undefined) await refuseTables(into, means);
  const globals = dump.contents.files.find(({ holds }) => holds === 'globals');
  if (globals !== undefined) {
    const rows = await session.query('SELECT rolname::text AS name FROM pg_roles');
    const text = await readFile(join(dump.path, globals.file), 'utf8');
    await session.query("SET log_statement = 'none'");
    const existing = rows.map(({ name }) => String(name));
    for (const statement of missingRoles(text, existing)) await session.query(statement);
  }
  if (known !== undefined) return false;
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await session.query(
    `CREATE DATABASE ${quote(into)} OWNER ${quote(owner)} TEMPLATE template0 ENCODING '${encoding.replaceAll("'", "''")}'`,
  );
  return true;
}

async function refuseTables(into: string, means: LoadMeans): Promise<void> {
  await using session = await means.session(into);
  const [row] = await session.query(TABLES_SQL);
  if (Number(row?.tables) === 0) return;
  throw new RefusedError({
    code: 'database-not-empty',
    message: `the database ${into} has ${String(row?.tables)} tables: nothing was touched`,
    hint: 'load it beside with --into NEWDATABASE, or drop the database first',
  });
}

async function drop(database: string, means: LoadMeans): Promise<void> {
  await using session = await means.session('postgres');
  await session.query(`DROP DATABASE IF EXISTS "${database.replaceAll('"', '""')}"`).catch(() => {});
}
