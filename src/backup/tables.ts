/** Single tables out of a restore, into the cluster that goes on serving. */
import { RefusedError } from '../lib/errors.ts';
import type { ApplyContext, PlatformCluster, Scratch } from '../platform/contract.ts';

export interface TableName {
  database: string;
  schema: string;
  table: string;
}

export interface BroughtTable extends TableName {
  /** Schema that it is in now. */
  into: string;
  rows: number;
}

/** `db.schema.table`, or `db.table` for the schema public. */
export function parseTable(text: string): TableName {
  const parts = text.split('.');
  const [database = '', second = '', third] = parts;
  const name = { database, schema: third === undefined ? 'public' : second, table: third ?? second };
  if (parts.length < 2 || parts.length > 3 || Object.values(name).some(part => part === '')) {
    throw new RefusedError({
      code: 'bad-table',
      message: `"${text}" names no table`,
      hint: 'write db.schema.table',
    });
  }
  return name;
}

/**
 * Refuses before anything is restored when a table of that name is in the cluster, unless it goes into another schema.
 * All tables are of one database, so that they come back together or not at all.
 */
export async function checkTables(
  cluster: PlatformCluster,
  tables: readonly TableName[],
  into: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const [first] = tables;
  if (first === undefined) return;
  const other = tables.find(({ database }) => database !== first.database);
  if (other !== undefined) {
    throw new RefusedError({
      code: 'several-databases',
      message: `tables of ${first.database} and ${other.database} cannot be brought back in one step`,
      hint: 'run the command once for each database',
    });
  }
  await using session = await cluster.restores.primarySession(first.database, signal);
  for (const { schema, table, database } of tables) {
    const [row] = await session.query('SELECT to_regclass($1) IS NOT NULL AS there', [
      `${quote(into ?? schema)}.${quote(table)}`,
    ]);
    if (row?.there !== true) continue;
    throw new RefusedError({
      code: 'table-exists',
      message: `${database} has a table ${into ?? schema}.${table} already: nothing was touched`,
      hint: 'name a schema to put the old one beside it: --into restored',
    });
  }
}

/** Copies tables from the scratch into the primary, all or none. */
export async function bringTables(
  cluster: PlatformCluster,
  scratch: Scratch,
  tables: readonly TableName[],
  into: string | undefined,
  context: ApplyContext,
): Promise<BroughtTable[]> {
  const database = tables[0]?.database ?? 'postgres';
  const brought: BroughtTable[] = [];
  {
    await using session = await scratch.session(database, context.signal);
    await session.query('SET default_transaction_read_only = off');
    if (into !== undefined) await session.query(`CREATE SCHEMA IF NOT EXISTS ${quote(into)}`);
    for (const name of tables) {
      const own = `${quote(name.schema)}.${quote(name.table)}`;
      const [there] = await session.query('SELECT to_regclass($1) IS NOT NULL AS there', [own]);
      if (there?.there !== true) {
        throw new RefusedError({
          code: 'no-such-table',
          message: `there was no table ${name.schema}.${name.table} in ${database} at that time`,
          hint: `what was reached: ${scratch.reached.lastCommitAt ?? scratch.reached.lsn}; choose an earlier or later time`,
        });
      }
      const [count] = await session.query(`SELECT count(*)::text AS rows FROM ${own}`);
      if (into !== undefined && into !== name.schema) {
        await session.query(`ALTER TABLE ${own} SET SCHEMA ${quote(into)}`);
      }
      brought.push({ ...name, into: into ?? name.schema, rows: Number(count?.rows) });
    }
  }
  const schemas = [...new Set(brought.map(({ into: schema }) => schema))];
  {
    await using session = await cluster.restores.primarySession(database, context.signal);
    for (const schema of schemas) await session.query(`CREATE SCHEMA IF NOT EXISTS ${quote(schema)}`);
  }
  const names = brought.map(({ into: schema, table }) => `${quote(schema)}.${quote(table)}`);
  await cluster.restores.copyTables(scratch, { database, tables: names }, context);
  await cluster.journal.append({
    actor: 'restore',
    event: 'tables-restored',
    subject: database,
    message: `brought back ${names.join(', ')}`,
    reason: `backup ${scratch.backup} from ${scratch.repository}`,
  });
  return brought;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
