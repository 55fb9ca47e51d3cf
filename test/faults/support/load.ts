/** Writers and readers at work while something is broken, and what they saw. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/poll.ts';
import { Sql, sqlstate, type Target } from '../../support/sql.ts';
import { audit, type Ledger, Writer, type WriterOptions } from '../../support/writer.ts';

/** One query, and who answered it. */
export interface Outcome {
  /** performance.now() when the answer came. */
  at: number;
  ok: boolean;
  /** SQLSTATE or the system's code of a failure. */
  code: string | undefined;
  server: string | undefined;
  recovering: boolean | undefined;
}

/** Columns that tell who answers. */
export const WHO = 'host(inet_server_addr()) AS server, pg_is_in_recovery() AS recovering';

export interface ProbeOptions {
  /** A new connection for each query. */
  fresh?: boolean;
  /** The query, with the columns of `WHO`. */
  text?: () => string;
}

/** Asks again and again who answers. */
export class Probe {
  readonly outcomes: Outcome[] = [];
  readonly #target: Target;
  readonly #fresh: boolean;
  readonly #text: () => string;
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(target: Target, options: ProbeOptions = {}) {
    this.#text = options.text ?? (() => `SELECT ${WHO}`);
    this.#target = target;
    this.#fresh = options.fresh === true;
    this.#done = this.#run();
  }

  get answered(): number {
    return this.outcomes.filter(outcome => outcome.ok).length;
  }

  get failed(): Outcome[] {
    return this.outcomes.filter(outcome => !outcome.ok);
  }

  /** Longest time between two answers. */
  get longestGapMs(): number {
    const times = this.outcomes.filter(outcome => outcome.ok).map(outcome => outcome.at);
    return Math.max(0, ...times.slice(1).map((at, n) => at - (times[n] ?? at)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const options = { query_timeout: 10_000, connectionTimeoutMillis: 3000 };
        await using sql = await Sql.open(this.#target, options);
        do {
          const [row] = await sql.rows(this.#text());
          this.#note({ ok: true, server: String(row?.server), recovering: row?.recovering === true });
          await delay(20);
        } while (!this.#stopped && !this.#fresh);
      } catch (error) {
        const code = sqlstate(error) ?? (error instanceof Error ? error.message : String(error));
        this.#note({ ok: false, code });
        await delay(50);
      }
    }
  }

  #note(outcome: Partial<Outcome> & { ok: boolean }): void {
    const { ok, code, server, recovering } = outcome;
    this.outcomes.push({ at: performance.now(), ok, code, server, recovering });
  }
}

export interface LoadResult {
  ledger: Ledger;
  reads: Probe;
}

export class Load {
  readonly writer: Writer;
  readonly reads: Probe;

  constructor(write: Target, read: Target, options: WriterOptions, firstId: number) {
    this.writer = new Writer(write, options, firstId);
    this.reads = new Probe(read);
  }

  /** Waits until both writes and reads come through, from now on. */
  async goesOn(withinMs = 30_000): Promise<void> {
    await writesGoOn(this.writer, withinMs);
    const { answered } = this.reads;
    await eventually('reads to be answered', withinMs, () => this.reads.answered > answered + 5);
  }

  async stop(): Promise<void> {
    await Promise.all([this.writer.stop(), this.reads.stop()]);
  }

  /** Proves that both go on, ends them, and compares what was acknowledged with what each member has. */
  async finish(cluster: Cluster): Promise<LoadResult> {
    try {
      await this.goesOn();
    } finally {
      await this.stop();
    }
    const ledger = await this.writer.stop();
    await expectKept(cluster, [ledger]);
    return { ledger, reads: this.reads };
  }
}

/** Waits until further writes are acknowledged. */
export async function writesGoOn(writer: Writer, withinMs = 30_000): Promise<void> {
  const { count } = writer;
  await eventually('writes to be acknowledged', withinMs, () => writer.count > count + 10);
}

/**
 * On every member, not just on the primary: no acknowledged row is missing, no refused row is there, none is
 * there twice. Standbys get a moment to replay.
 */
export async function expectKept(cluster: Cluster, ledgers: Pick<Ledger, 'acknowledged' | 'failed'>[]) {
  const ledger: Ledger = {
    acknowledged: ledgers.flatMap(part => part.acknowledged),
    failed: ledgers.flatMap(part => part.failed),
    unknown: [],
    errors: new Map(),
    longestGapMs: 0,
  };
  expect(ledger.acknowledged.length, 'acknowledged writes').toBeGreaterThan(0);
  const { members } = await cluster.status();
  expect(members).toHaveLength(3);
  for (const { name, address, port } of members) {
    const target = await cluster.target({ host: address, port }, { user: 'bauer', database: 'firmendaten' });
    let found = await audit(target, ledger);
    await eventually('replay', 20_000, async () => {
      found = await audit(target, ledger);
      return found.lost.length === 0;
    }).catch(() => {});
    expect({ member: name, ...found, twice: await twice(target) }).toEqual({
      member: name,
      lost: [],
      phantom: [],
      twice: 0,
    });
  }
}

/** Rows with an id that another row has as well, seen without the index that forbids it. */
async function twice(target: Target): Promise<number> {
  await using sql = await Sql.open(target);
  await sql.rows('SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off');
  return await sql.value('SELECT (count(*) - count(DISTINCT id))::int FROM ledger');
}

/** Errors as a person reads them: "2x writing: 57P01 ...". */
export function errorsOf({ errors }: Ledger): string {
  return [...errors].map(([text, count]) => `${count}x ${text}`).join(' | ') || 'none';
}
