/** pg_dump and its relatives: their arguments, and what is read of their results. */
import type { ConnectionTarget } from './connection.ts';
import { conninfo } from './conninfo.ts';

export type DumpTarget = Pick<ConnectionTarget, 'host' | 'port' | 'user'>;

/** A lock that somebody holds for longer than this makes the dump fail: it would hold up vacuum all that time. */
const LOCK_WAIT = '10min';

/** Arguments of pg_dump for one database into one file. */
export function dumpArguments(
  target: DumpTarget,
  database: string,
  options: { format: 'custom' | 'plain'; file: string; major: number },
): string[] {
  const { format, file, major } = options;
  return [
    '--no-password',
    `--format=${format}`,
    `--file=${file}`,
    `--lock-wait-timeout=${LOCK_WAIT}`,
    // For psql -f into a database that has something in it already; pg_restore is asked for it when it restores.
    ...(format === 'plain' ? ['--clean', '--if-exists'] : []),
    // Faster and smaller than the default, which is all that PostgreSQL 15 has.
    ...(format === 'custom' && major >= 16 ? ['--compress=zstd:3'] : []),
    `--dbname=${conninfo({ ...target, dbname: database })}`,
  ];
}

/** Arguments of pg_dumpall for everything that belongs to no database. */
export function globalsArguments(target: DumpTarget, file: string): string[] {
  return ['--no-password', '--globals-only', `--file=${file}`, `--dbname=${conninfo(target)}`];
}

/** What a dump says of a database besides its data. */
export const DATABASES_SQL = `
  SELECT datname AS name, pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
         pg_database_size(oid)::float8 AS bytes
    FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname`;

export const TABLES_SQL = `
  SELECT count(*)::int AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     AND c.relpersistence <> 't'`;

/** pg_dump's last words: an SQL file without them was cut off. */
export const PLAIN_END = '-- PostgreSQL database dump complete';
export const GLOBALS_END = '-- PostgreSQL database cluster dump complete';
