/** PostgreSQL through node-postgres, as an application would reach it. */
import pg from 'pg';

export interface Target {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** PEM of the authority; `false` speaks without TLS. */
  tls: string | false;
}

export type Row = Record<string, unknown>;

/** One connection. */
export class Sql implements AsyncDisposable {
  readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async open(target: Target, options: pg.ClientConfig = {}): Promise<Sql> {
    const client = new pg.Client({ ...config(target), connectionTimeoutMillis: 10_000, ...options });
    // A connection that a server cuts while it is idle would end the test process otherwise.
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    return new Sql(client);
  }

  async rows(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query(text, values)).rows;
  }

  /** The only column of the only row. */
  async value<T = unknown>(text: string, values: unknown[] = []): Promise<T> {
    const [row] = await this.rows(text, values);
    return Object.values(row ?? {})[0] as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end().catch(() => {});
  }
}

/** A pool with listeners on itself and on each client. */
export function openPool(target: Target, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ ...config(target), connectionTimeoutMillis: 30_000, ...options });
  pool.on('error', () => {});
  pool.on('connect', client => client.on('error', () => {}));
  return pool;
}

/** SQLSTATE of what was thrown, or the code of the system's error. */
export function sqlstate(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}

function config(target: Target): pg.ClientConfig {
  const { tls, ...rest } = target;
  return { ...rest, ssl: tls === false ? false : { ca: tls } };
}
