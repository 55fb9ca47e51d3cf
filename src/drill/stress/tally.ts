import type { RecordableHistogram } from 'node:perf_hooks';
import { type Cell, type ErrorCount, latencies, mergeError, type Window } from './window.ts';

/** Latencies in milliseconds, exact to three digits. */
export interface Latency {
  count: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** A stretch of the load, for plots. */
export interface Point {
  /** Since the load began. */
  fromMs: number;
  perSecond: number;
  failuresPerSecond: number;
  latency: Latency | undefined;
  connected: number;
  waiting: number;
}

/** Plots get no more points than this, however long the load is. */
const MAX_POINTS = 600;

interface Bucket {
  latencies: RecordableHistogram;
  connected: Map<number, number>;
  waiting: Map<number, number>;
}

/** Puts together what the threads send: totals, what it is like right now, and the course of it. */
export class Tally {
  readonly reads = latencies();
  readonly writes = latencies();
  readonly connects = latencies();
  readonly errors = new Map<string, ErrorCount>();
  readonly rampErrors = new Map<string, ErrorCount>();
  readonly cells = new Map<number, Cell>();
  acknowledged = 0;
  rows = 0;
  lowestConnected = Number.POSITIVE_INFINITY;
  readonly #bucketMs: number;
  readonly #buckets: Bucket[] = [];
  readonly #last: (Window | undefined)[];
  readonly #spent: { loopMs: number; cpuMs: number; allMs: number }[];
  #delayMs = 0;
  #recent = latencies();
  #recentAcknowledged = 0;

  constructor(threads: number, durationMs: number) {
    this.#last = new Array(threads).fill(undefined);
    this.#spent = Array.from({ length: threads }, () => ({ loopMs: 0, cpuMs: 0, allMs: 0 }));
    this.#bucketMs = Math.max(1_000, Math.ceil(durationMs / MAX_POINTS / 1_000) * 1_000);
  }

  add(thread: number, window: Window): void {
    this.#last[thread] = window;
    this.connects.add(window.connects);
    const errors = window.phase === 'ramp' ? this.rampErrors : this.errors;
    for (const error of window.errors) mergeError(errors, error);
    if (window.phase === 'ramp') return;
    for (const histogram of [window.reads, window.writes]) this.#recent.add(histogram);
    this.#recentAcknowledged += window.acknowledged;
    this.reads.add(window.reads);
    this.writes.add(window.writes);
    this.acknowledged += window.acknowledged;
    this.rows += window.rows;
    this.lowestConnected = Math.min(this.lowestConnected, this.connected);
    for (const cell of window.cells) mergeCell(this.cells, cell);
    const spanMs = window.toMs - window.fromMs;
    const spent = this.#spent[thread];
    if (spent !== undefined) {
      spent.allMs += spanMs;
      spent.loopMs += window.utilisation * spanMs;
      spent.cpuMs += window.cpu * spanMs;
    }
    this.#delayMs = Math.max(this.#delayMs, window.delayMs);
    this.#toBucket(thread, window);
  }

  get connected(): number {
    return this.#sum(window => window.connected);
  }

  get waiting(): number {
    return this.#sum(window => window.waiting);
  }

  /** Clients that have ended an attempt to connect. */
  get tried(): number {
    return this.#sum(window => window.tried);
  }

  get oldestMs(): number {
    return Math.max(0, ...this.#last.map(window => window?.oldestMs ?? 0));
  }

  /** The busiest thread: share of time with something to do, with a processor; how late timers were at worst. */
  get generator(): { utilisation: number; cpu: number; delayMs: number } {
    const highest = (part: 'loopMs' | 'cpuMs'): number =>
      Math.max(0, ...this.#spent.map(spent => spent[part] / Math.max(1, spent.allMs)));
    return { utilisation: highest('loopMs'), cpu: highest('cpuMs'), delayMs: this.#delayMs };
  }

  /** What was acknowledged since the last call. */
  takeRecent(): { acknowledged: number; latency: Latency | undefined } {
    const taken = { acknowledged: this.#recentAcknowledged, latency: latencyOf(this.#recent) };
    this.#recent = latencies();
    this.#recentAcknowledged = 0;
    return taken;
  }

  points(durationMs: number): Point[] {
    const perBucket = this.#bucketMs / 100;
    return this.#buckets.flatMap((bucket, i) => {
      const fromMs = i * this.#bucketMs;
      const seconds = Math.min(this.#bucketMs, durationMs - fromMs) / 1_000;
      // A last stretch that is too short says nothing.
      if (seconds < this.#bucketMs / 4_000) return [];
      let acknowledged = 0;
      let failed = 0;
      for (let index = i * perBucket; index < (i + 1) * perBucket; index++) {
        acknowledged += this.cells.get(index)?.acknowledged ?? 0;
        failed += this.cells.get(index)?.failed ?? 0;
      }
      const sum = (gauge: Map<number, number>): number => [...gauge.values()].reduce((a, b) => a + b, 0);
      return {
        fromMs,
        perSecond: acknowledged / seconds,
        failuresPerSecond: failed / seconds,
        latency: latencyOf(bucket.latencies),
        connected: sum(bucket.connected),
        waiting: sum(bucket.waiting),
      };
    });
  }

  #toBucket(thread: number, window: Window): void {
    const place = Math.max(0, Math.floor((window.fromMs + window.toMs) / 2 / this.#bucketMs));
    for (let i = this.#buckets.length; i <= place; i++) {
      this.#buckets.push({ latencies: latencies(), connected: new Map(), waiting: new Map() });
    }
    const bucket = this.#buckets[place];
    bucket?.latencies.add(window.reads);
    bucket?.latencies.add(window.writes);
    bucket?.connected.set(thread, window.connected);
    bucket?.waiting.set(thread, window.waiting);
  }

  #sum(gauge: (window: Window) => number): number {
    return this.#last.reduce((sum, window) => sum + (window === undefined ? 0 : gauge(window)), 0);
  }
}

/** undefined when nothing was measured. */
export function latencyOf(histogram: RecordableHistogram): Latency | undefined {
  if (histogram.count === 0) return undefined;
  const at = (percentile: number): number => histogram.percentile(percentile) / 1_000;
  return {
    count: histogram.count,
    mean: histogram.mean / 1_000,
    p50: at(50),
    p95: at(95),
    p99: at(99),
    max: histogram.max / 1_000,
  };
}

function mergeCell(into: Map<number, Cell>, cell: Cell): void {
  const known = into.get(cell.index);
  if (known === undefined) {
    into.set(cell.index, { ...cell });
    return;
  }
  if (cell.acknowledged > 0) {
    known.first = known.acknowledged > 0 ? Math.min(known.first, cell.first) : cell.first;
    known.last = known.acknowledged > 0 ? Math.max(known.last, cell.last) : cell.last;
  }
  known.acknowledged += cell.acknowledged;
  known.failed += cell.failed;
}
