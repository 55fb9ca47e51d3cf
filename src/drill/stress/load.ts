/** The load as it was asked for: what each client does, how often and for how long. */
export interface Load {
  clients: number;
  durationMs: number;
  /** From the start of one statement to the start of the next; 0: as fast as answers come. */
  intervalMs: number;
  /** Share of iterations that write, 0 to 1. */
  writeRatio: number;
  /** Each iteration logs in and out. */
  connectEachTime: boolean;
  /** Run instead of readers and writers, as one simple query: one statement, or several as one transaction. */
  script: string | undefined;
}

/** The report's reader. */
export const READ = 'SELECT id, name, num_col FROM testdaten ORDER BY RANDOM() LIMIT 1';

export const WRITE_TABLE = 'pgherd_stress';

/** Inserts at a client's first write and updates from then on: one row per client, so the table does not grow. */
export function writeOf(client: number): string {
  return (
    `INSERT INTO ${WRITE_TABLE} (client, writes) VALUES (${client}, 1) ` +
    `ON CONFLICT (client) DO UPDATE SET writes = ${WRITE_TABLE}.writes + 1`
  );
}

/** As the user's script: give up an attempt to connect, and wait before the next. */
export const CONNECT_TIMEOUT_MS = 2_000;
export const RECONNECT_PAUSE_MS = 500;

/** Longer than PgBouncer lets anybody wait for a server: who waits that long waits for nothing. */
export const STATEMENT_TIMEOUT_MS = 150_000;
