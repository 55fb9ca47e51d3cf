/** PgBouncer's admin console, over the process's own Unix socket. */
import pg from 'pg';
import { PgherdError } from '../../lib/errors.ts';
import { POOLER_ADMIN } from './config.ts';

export interface ConsoleTarget {
  socketDir: string;
  port: number;
  /** Asked for by each connection. */
  password(): Promise<string>;
}

const CONNECT_MS = 1_000;

/** A session of the console. Commands may wait long (PAUSE): each has its own deadline. */
export class PoolerConsole implements Disposable {
  readonly #client: pg.Client;
  #alive = true;

  private constructor(client: pg.Client, onEnd: () => void) {
    this.#client = client;
    client.on('end', () => {
      this.#alive = false;
      onEnd();
    });
  }

  /** The pooler has not closed it. */
  get alive(): boolean {
    return this.#alive;
  }

  /** @param onEnd called when either side has closed it. */
  static async open(target: ConsoleTarget, onEnd: () => void = () => {}): Promise<PoolerConsole> {
    const client = new pg.Client({
      host: target.socketDir,
      port: target.port,
      user: POOLER_ADMIN,
      password: () => target.password(),
      database: 'pgbouncer',
      connectionTimeoutMillis: CONNECT_MS,
    });
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (cause) {
      void client.end().catch(() => {});
      throw new PgherdError({
        code: 'pooler-console',
        message: `the console of the pooler at ${target.socketDir} does not answer`,
        cause,
      });
    }
    return new PoolerConsole(client, onEnd);
  }

  /**
   * Holds new transactions back and resolves when those under way have ended: true; or, after `timeoutMs`, with some
   * of them still under way: false. Either way clients wait until `resume`. A console that is closed before all have
   * ended takes its PAUSE back (PgBouncer: admin_handle_cancel).
   */
  async pause(timeoutMs: number): Promise<boolean> {
    const paused = this.#client.query('PAUSE').then(
      () => true,
      // "already suspended/paused": somebody else holds it back, and that is as good.
      () => true,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>(resolve => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await Promise.race([paused, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads the target again. */
  async reload(): Promise<void> {
    await this.#client.query('RELOAD');
  }

  /** Lets clients go on. A pooler that was not paused says so, which is as good. */
  async resume(): Promise<void> {
    await this.#client.query('RESUME').catch(() => {});
  }

  [Symbol.dispose](): void {
    void this.#client.end().catch(() => {});
  }
}
