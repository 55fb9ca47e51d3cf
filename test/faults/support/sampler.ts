/**
 * Asks one PostgreSQL directly, past endpoints and poolers, whether it takes itself for a primary, and writes to it
 * whenever it does. Two of them show a split brain: who acknowledged what, and when.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Sql, type Target } from '../../support/sql.ts';

export class DirectWriter {
  readonly acknowledged: { id: number; at: number }[] = [];
  /** When it said that it is no standby. */
  readonly claims: number[] = [];
  readonly #target: Target;
  readonly #done: Promise<void>;
  #next: number;
  #stopped = false;

  constructor(target: Target, firstId: number) {
    this.#target = target;
    this.#next = firstId;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const options = { query_timeout: 4000, connectionTimeoutMillis: 2000 };
        await using sql = await Sql.open(this.#target, options);
        while (!this.#stopped) await this.#look(sql);
      } catch {
        await delay(200);
      }
    }
  }

  async #look(sql: Sql): Promise<void> {
    if (!(await sql.value<boolean>('SELECT pg_is_in_recovery()'))) {
      this.claims.push(performance.now());
      const id = this.#next++;
      await sql.rows('INSERT INTO ledger (id) VALUES ($1)', [id]);
      this.acknowledged.push({ id, at: performance.now() });
    }
    await delay(100);
  }
}

/** Milliseconds from the first to the last moment at which both were true, 0 where they never overlapped. */
export function overlap(a: number[], b: number[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const from = Math.max(Math.min(...a), Math.min(...b));
  const to = Math.min(Math.max(...a), Math.max(...b));
  return Math.max(0, to - from);
}
