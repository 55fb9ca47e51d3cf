import type pg from 'pg';
import { codeOf, messageOf, type PgherdError, RefusedError } from '../../lib/errors.ts';
import { poll } from '../../lib/time.ts';
import { MARK, TABLE } from './fill.ts';
import { WRITE_TABLE } from './load.ts';
import { openSession, type Target } from './target.ts';

/** A standby has a table that was just made when it has replayed that. */
const REPLAY_MS = 15_000;

/**
 * Makes sure that readers will find `testdaten` with the right columns, whoever made it; resolves with whether it
 * has rows. `fresh`: it was made a moment ago, so a standby may not have it yet.
 */
export async function checkTable(
  cluster: string,
  target: Target,
  { fresh, signal }: { fresh: boolean; signal: AbortSignal },
): Promise<{ empty: boolean }> {
  await using session = await openSession(cluster, target, signal);
  const look = async (): Promise<{ empty: boolean }> => {
    const { rows } = await session.client.query(`SELECT id, name, num_col FROM ${TABLE} LIMIT 1`);
    return { empty: rows.length === 0 };
  };
  try {
    if (!fresh) return await look();
    const what = `${TABLE} to arrive on the standby`;
    return await poll(look, { what, timeoutMs: REPLAY_MS, everyMs: 200, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw tableError(cluster, target, error);
  }
}

function tableError(cluster: string, { database, user }: Target, cause: unknown): unknown {
  const fill = `pgherd stress ${cluster} --fill 10000`;
  switch (codeOf(cause)) {
    case '42P01':
      return new RefusedError({
        code: 'no-table',
        message: `there is no table ${TABLE} in the database ${database}`,
        hint: `make one with made-up people: ${fill}\nor name your own statements: --script FILE.sql`,
        cause,
      });
    case '42703':
      return new RefusedError({
        code: 'other-columns',
        message: `${TABLE} in the database ${database} has other columns than id, name and num_col (${messageOf(cause)})`,
        hint: `it is not pgherd's, so --fill leaves it alone: name another --database to fill, or your own statements with --script FILE.sql`,
        cause,
      });
    case '42501':
      return new RefusedError({
        code: 'not-allowed',
        message: `${user} may not read ${TABLE} in the database ${database}`,
        hint: 'name a user who may (--user), or grant it: GRANT SELECT',
        cause,
      });
    default:
      return cause;
  }
}

/** Makes the table that writers write to. Resolves with what drops it again, as far as it was made by us. */
export async function makeWriteTable(
  cluster: string,
  target: Target,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  await using session = await openSession(cluster, target, signal);
  const { client } = session;
  const { rows } = await client.query(
    `SELECT obj_description(c.oid, 'pg_class') AS comment FROM pg_class c WHERE c.oid = to_regclass('${WRITE_TABLE}')`,
  );
  const [there] = rows;
  if (there !== undefined && !String(there.comment ?? '').startsWith(MARK)) {
    throw new RefusedError({
      code: 'foreign-table',
      message: `there is a ${WRITE_TABLE} in ${target.database} that pgherd did not make; it is left alone`,
      hint: 'rename it, or name another --database',
    });
  }
  try {
    await client.query(
      [
        `DROP TABLE IF EXISTS ${WRITE_TABLE}`,
        `CREATE TABLE ${WRITE_TABLE} (client integer PRIMARY KEY, writes bigint NOT NULL)`,
        `COMMENT ON TABLE ${WRITE_TABLE} IS '${MARK}: what its writers write, dropped when they end'`,
      ].join('; '),
    );
  } catch (cause) {
    signal.throwIfAborted();
    throw new RefusedError({
      code: 'no-write-table',
      message: `the table for the writers could not be made: ${messageOf(cause)}`,
      hint: 'writers need a primary and a user who may create tables: see --endpoint and --user',
      cause,
    });
  }
  return { [Symbol.asyncDispose]: () => dropWriteTable(cluster, target) };
}

const DROP_MS = 10_000;

/** Also after Ctrl-C, so it has a time limit of its own. What it leaves, the next run replaces. */
async function dropWriteTable(cluster: string, target: Target): Promise<void> {
  try {
    await using session = await openSession(cluster, target, AbortSignal.timeout(DROP_MS));
    await session.client.query(`DROP TABLE IF EXISTS ${WRITE_TABLE}`);
  } catch {
    // A cluster that fell over under the load has worse problems than a small table.
  }
}

/**
 * Runs a script once, as each client will do over and over: what fails here would fail thousands of times. Refuses
 * it with the server's own words and the line.
 */
export async function checkScript(
  cluster: string,
  target: Target,
  script: { name: string; text: string },
  signal: AbortSignal,
): Promise<void> {
  await using session = await openSession(cluster, target, signal);
  const { client } = session;
  let results: pg.QueryResult | pg.QueryResult[];
  try {
    results = await client.query(script.text);
  } catch (error) {
    signal.throwIfAborted();
    throw scriptError(cluster, script, error);
  }
  const [first] = Array.isArray(results) ? results : [results];
  if (!first?.command) throw emptyScript(script.name);
  if (client.getTransactionStatus() !== 'I') {
    throw new RefusedError({
      code: 'script-open-transaction',
      message: `${script.name} leaves a transaction open`,
      hint: 'end it with COMMIT or ROLLBACK; several statements without BEGIN are one transaction already',
    });
  }
}

export function emptyScript(name: string): PgherdError {
  return new RefusedError({
    code: 'script-empty',
    message: `${name} has no SQL statement in it`,
    hint: 'write one statement, or several that are to be one transaction',
  });
}

function scriptError(
  cluster: string,
  { name, text }: { name: string; text: string },
  cause: unknown,
): PgherdError {
  const position =
    typeof cause === 'object' && cause !== null && 'position' in cause ? Number(cause.position) : 0;
  const line = position > 0 ? `:${text.slice(0, position).split('\n').length}` : '';
  const backslash = /^\s*\\/m.test(text);
  return new RefusedError({
    code: 'script-failed',
    message: `${name}${line}: ${messageOf(cause)} (${codeOf(cause) ?? 'no SQLSTATE'})`,
    detail: 'the script was run once before the load; nothing of it was kept if it is one transaction',
    hint: backslash
      ? "psql's commands (\\...) and pgbench's variables are not SQL: leave them out"
      : `try it: pgherd psql ${cluster} -- -f ${name}`,
    cause,
  });
}
