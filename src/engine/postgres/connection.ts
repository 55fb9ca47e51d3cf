import pg from 'pg';
import { PgherdError } from '../../lib/errors.ts';

export interface ConnectionTarget {
  /** A name, an address, or the directory of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /**
   * PEM of the cluster's certificate authority; the server must present a certificate for `host`. undefined for a
   * Unix socket, which needs none.
   */
  ca: string | undefined;
  timeoutMs: number;
}

/** PostgreSQL refused or could not be reached; `sqlstate` is set when it answered. */
export class SqlError extends PgherdError {
  readonly sqlstate: string | undefined;
  constructor(message: string, sqlstate: string | undefined, cause: unknown) {
    super({ code: 'sql-failed', message, cause });
    this.sqlstate = sqlstate;
  }
}

export type Rows = Record<string, unknown>[];

/** A conversation with one database, however it is carried. Statements run one after the other. */
export interface SqlSession extends AsyncDisposable {
  /** Rejects with SqlError. */
  query(text: string, values?: unknown[]): Promise<Rows>;
}

/** One session. Statements run one after the other; `abort` of the signal ends the session. */
export class Session implements SqlSession {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(target: ConnectionTarget, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const client = new pg.Client({
      host: target.host,
      port: target.port,
      database: target.database,
      user: target.user,
      password: target.password,
      ssl: target.ca === undefined ? false : { ca: target.ca },
      connectionTimeoutMillis: target.timeoutMs,
      query_timeout: target.timeoutMs,
      application_name: 'pgherd',
    });
    // Without a listener a session that a failover cuts would end this process.
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => {});
      throw asSqlError(
        error,
        `cannot connect to PostgreSQL at ${target.host}:${target.port}/${target.database}`,
      );
    }
    return new Session(client);
  }

  async query(text: string, values: unknown[] = []): Promise<Rows> {
    try {
      const result = await this.#client.query(text, values);
      return result.rows;
    } catch (error) {
      throw asSqlError(error, 'PostgreSQL refused a statement');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}

function asSqlError(error: unknown, what: string): SqlError {
  const sqlstate = error instanceof pg.DatabaseError ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  return new SqlError(`${what}: ${text}`, sqlstate, error);
}

export const identifier: (name: string) => string = pg.escapeIdentifier;
export const literal: (text: string) => string = pg.escapeLiteral;
