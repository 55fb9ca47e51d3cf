/** The ledger's table and the statements on it. */

export const LEDGER_SCHEMA = 'pgherd_drill';
const TABLE = `${LEDGER_SCHEMA}.ledger`;

/**
 * Makes the table anew for a run, owned by the user that the applications' paths log in as. Without a primary
 * key's index a row that is there twice would go unseen: the index is not unique on purpose.
 */
export function createLedger(owner: string): string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${LEDGER_SCHEMA} AUTHORIZATION ${owner}`,
    `DROP TABLE IF EXISTS ${TABLE}`,
    `CREATE TABLE ${TABLE} (
       run text NOT NULL, id text NOT NULL, chain text NOT NULL, sequence integer NOT NULL, previous text NOT NULL, hash text NOT NULL,
       written_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
    `CREATE INDEX ON ${TABLE} (id)`,
    `ALTER TABLE ${TABLE} OWNER TO ${owner}`,
  ];
}

/**
 * $1 run, $2 id, $3 chain, $4 sequence, $5 previous, $6 hash. A statement that was stuck on its way may arrive after its
 * run has ended, so each row names its run. Tells who wrote it: address, timeline, position in the WAL.
 */
export const WRITE = `INSERT INTO ${TABLE} (run, id, chain, sequence, previous, hash)
  VALUES ($1, $2, $3, $4, $5, $6)
  RETURNING host(inet_server_addr()) AS server,
    ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int AS timeline,
    (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS lsn`;

/** $1 id of a row that was acknowledged. */
export const READ = `SELECT host(inet_server_addr()) AS server, (SELECT count(*) FROM ${TABLE} WHERE id = $1) AS rows`;

/** $1 run. */
export const READ_ALL = `SELECT id, chain, sequence, previous, hash FROM ${TABLE} WHERE run = $1`;
