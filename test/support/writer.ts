/** A load that knows what it was promised: each write has an id of its own and one of three outcomes. */
import { setTimeout as delay } from 'node:timers/promises';
import { Sql, sqlstate, type Target } from './sql.ts';

/** PostgreSQL said no before anything was written: such an id must never be found later. */
const REFUSED = /^(25006|42\w{3}|53300|57P03|28\w{3}|23\w{3})$/;

export interface Ledger {
  acknowledged: number[];
  /** Certainly not written. */
  failed: number[];
  /** The connection ended in between: it may be there or not. */
  unknown: number[];
  /** What was reported for writes that were not acknowledged, each sentence once, with its count. */
  errors: Map<string, number>;
  /** Longest time between two acknowledged writes, milliseconds. */
  longestGapMs: number;
}

export interface WriterOptions {
  /** Connections that write at the same time. */
  workers?: number;
  /** Pause of a worker between two writes. */
  everyMs?: number;
}

/** Creates the table that the writer fills. */
export async function prepareLedger(target: Target): Promise<void> {
  await using sql = await Sql.open(target);
  await sql.rows('CREATE TABLE IF NOT EXISTS ledger (id bigint PRIMARY KEY, at timestamptz DEFAULT now())');
}

export class Writer {
  readonly #ledger: Ledger = {
    acknowledged: [],
    failed: [],
    unknown: [],
    errors: new Map(),
    longestGapMs: 0,
  };
  readonly #workers: Promise<void>[];
  readonly #everyMs: number;
  #next: number;
  #stopped = false;
  #last = performance.now();

  /** Begins to write at once. @param target asked before each connection: endpoints may move. */
  constructor(target: Target | (() => Target), options: WriterOptions = {}, firstId = 1) {
    this.#next = firstId;
    this.#everyMs = options.everyMs ?? 5;
    const where = typeof target === 'function' ? target : () => target;
    this.#workers = Array.from({ length: options.workers ?? 2 }, () => this.#work(where));
  }

  /** Acknowledged so far. */
  get count(): number {
    return this.#ledger.acknowledged.length;
  }

  /** Waits for what is under way and returns what became of each write. */
  async stop(): Promise<Ledger> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.#noteGap();
    return this.#ledger;
  }

  async #work(where: () => Target): Promise<void> {
    while (!this.#stopped) {
      try {
        await using sql = await Sql.open(where(), { query_timeout: 20_000, connectionTimeoutMillis: 3000 });
        while (!this.#stopped && (await this.#write(sql))) await delay(this.#everyMs);
      } catch (error) {
        this.#noteError('connecting', error);
        await delay(50);
      }
    }
  }

  /** Returns whether the connection can be used further. */
  async #write(sql: Sql): Promise<boolean> {
    const id = this.#next++;
    try {
      await sql.rows('INSERT INTO ledger (id) VALUES ($1)', [id]);
      this.#ledger.acknowledged.push(id);
      this.#noteGap();
      return true;
    } catch (error) {
      (REFUSED.test(sqlstate(error) ?? '') ? this.#ledger.failed : this.#ledger.unknown).push(id);
      this.#noteError('writing', error);
      return false;
    }
  }

  #noteGap(): void {
    const now = performance.now();
    this.#ledger.longestGapMs = Math.max(this.#ledger.longestGapMs, now - this.#last);
    this.#last = now;
  }

  #noteError(doing: string, error: unknown): void {
    const text = `${doing}: ${sqlstate(error) ?? ''} ${error instanceof Error ? error.message : String(error)}`;
    this.#ledger.errors.set(text, (this.#ledger.errors.get(text) ?? 0) + 1);
  }
}

/** Holds a ledger to what the database has: promised rows that are lost, refused ones that are there all the same. */
export async function audit(target: Target, ledger: Ledger): Promise<{ lost: number[]; phantom: number[] }> {
  await using sql = await Sql.open(target);
  const rows = await sql.rows('SELECT id::int AS id FROM ledger');
  const found = new Set(rows.map(row => Number(row.id)));
  return {
    lost: ledger.acknowledged.filter(id => !found.has(id)),
    phantom: ledger.failed.filter(id => found.has(id)),
  };
}
