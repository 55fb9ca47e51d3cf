/** Tables from one server into another by pg_dump and pg_restore: their options, and what a failure means. */
import { PgherdError } from '../../lib/errors.ts';

/** Of pg_dump, without the server and the database: only these tables, quoted as in SQL, as an archive. */
export function dumpOptions(tables: readonly string[]): string[] {
  return ['--format=custom', '--strict-names', ...tables.map(table => `--table=${table}`)];
}

/** Of pg_restore: all or nothing. */
export const LOAD_OPTIONS = ['--single-transaction', '--exit-on-error'];

/** The end of the load is an acknowledged write like any other. */
export const LOAD_SETTINGS = { PGOPTIONS: '-c synchronous_commit=on' };

export function tablesNotLoaded(detail: string | undefined, cause?: unknown): PgherdError {
  return new PgherdError({
    code: 'tables-not-restored',
    message: 'the tables could not be written into the cluster; nothing of them was',
    detail,
    hint: 'what they depend on (schema, types, roles) has to be there, and nothing of the same name',
    cause,
  });
}
