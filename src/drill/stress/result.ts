import { errorClass } from '../../core/drill/outcome.ts';
import { type Latency, latencyOf, type Point, type Tally } from './tally.ts';
import { CELL_MS, type Cell, type ErrorCount, latencies } from './window.ts';

/** Why the load began when it did. */
export type RampEnd = 'all-connected' | 'no-more' | 'deadline' | 'not-needed' | 'stopped';

export interface ClassedError {
  /** SQLSTATE or system code. */
  code: string;
  /** `53`, `ECONNRESET`; with a title for people. */
  class: string;
  title: string;
  /** What the server said most often. */
  message: string;
  count: number;
}

/** One load through one endpoint, measured. */
export interface LoadResult {
  clients: number;
  ramp: { milliseconds: number; connected: number; ended: RampEnd; errors: ClassedError[] };
  /** How long the load lasted. */
  milliseconds: number;
  /** It was stopped before its time. */
  stopped: boolean;
  acknowledged: number;
  rows: number;
  perSecond: number;
  /** What the clients would have done if every answer came at once; undefined: as much as they could. */
  wantedPerSecond: number | undefined;
  statements: Latency | undefined;
  reads: Latency | undefined;
  writes: Latency | undefined;
  connects: Latency | undefined;
  lowestConnected: number;
  connectedAtEnd: number;
  errors: ClassedError[];
  failures: number;
  /** The longest time in which no client got an answer. */
  longestGapMs: number;
  unanswered: { count: number; oldestMs: number };
  generator: { threads: number; utilisation: number; cpu: number; delayMs: number };
  machine: { shared: boolean; busy: number };
  points: Point[];
  cells: { ms: number; states: ('acknowledged' | 'failed' | 'none')[] };
}

export interface Facts {
  clients: number;
  intervalMs: number;
  threads: number;
  ramp: { milliseconds: number; connected: number; ended: RampEnd };
  milliseconds: number;
  stopped: boolean;
  machine: { shared: boolean; busy: number };
}

/** What the threads counted, as the figures of a report. */
export function resultOf(tally: Tally, facts: Facts): LoadResult {
  const { milliseconds, clients, intervalMs } = facts;
  const seconds = Math.max(milliseconds, 1) / 1_000;
  const statements = latencyOf(together(tally));
  const errors = classed([...tally.errors.values()]);
  return {
    clients,
    ramp: { ...facts.ramp, errors: classed([...tally.rampErrors.values()]) },
    milliseconds,
    stopped: facts.stopped,
    acknowledged: tally.acknowledged,
    rows: tally.rows,
    perSecond: tally.acknowledged / seconds,
    wantedPerSecond: intervalMs === 0 ? undefined : (clients * 1_000) / intervalMs,
    statements,
    reads: latencyOf(tally.reads),
    writes: latencyOf(tally.writes),
    connects: latencyOf(tally.connects),
    lowestConnected: Number.isFinite(tally.lowestConnected) ? tally.lowestConnected : 0,
    connectedAtEnd: tally.connected,
    errors,
    failures: errors.reduce((sum, error) => sum + error.count, 0),
    longestGapMs: longestGap(tally.cells, milliseconds),
    unanswered: { count: tally.waiting, oldestMs: tally.oldestMs },
    generator: { threads: facts.threads, ...tally.generator },
    machine: facts.machine,
    points: tally.points(milliseconds),
    cells: states(tally.cells, milliseconds, tally.acknowledged / seconds),
  };
}

function together(tally: Tally): Tally['reads'] {
  // Not a clone of one of them: it would share its storage.
  const all = latencies();
  all.add(tally.reads);
  all.add(tally.writes);
  return all;
}

/** Errors with their classes, the most frequent first. */
export function classed(errors: readonly ErrorCount[]): ClassedError[] {
  return errors
    .map(({ code, count, messages }) => {
      const [often] = [...messages].sort(([, a], [, b]) => b - a);
      return { code, count, message: often?.[0] ?? '', ...errorClass(code) };
    })
    .sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
}

/**
 * The longest time without an acknowledgement, the beginning and the end of the load included. Exact above 100 ms;
 * shorter gaps may be missed.
 */
export function longestGap(cells: ReadonlyMap<number, Cell>, durationMs: number): number {
  let longest = 0;
  let last = 0;
  for (const index of [...cells.keys()].sort((a, b) => a - b)) {
    const cell = cells.get(index);
    if (cell === undefined || cell.acknowledged === 0) continue;
    longest = Math.max(longest, cell.first - last);
    last = Math.max(last, cell.last);
  }
  return Math.max(longest, durationMs - last, 0);
}

/** A cell in which fewer answers are due than this says nothing when it is empty. */
const DUE_PER_CELL = 8;

/** Availability per 100 ms, or per multiple of it where a slow load has nothing to do for so long. */
export function states(
  cells: ReadonlyMap<number, Cell>,
  durationMs: number,
  perSecond: number,
): LoadResult['cells'] {
  const due = (perSecond * CELL_MS) / 1_000;
  const factor = Math.min(100, Math.max(1, Math.ceil(DUE_PER_CELL / Math.max(due, 0.01))));
  const ms = CELL_MS * (perSecond === 0 ? 1 : factor);
  const count = Math.floor(durationMs / ms);
  return {
    ms,
    states: Array.from({ length: count }, (_, i) => {
      let failed = 0;
      for (let index = (i * ms) / CELL_MS; index < ((i + 1) * ms) / CELL_MS; index++) {
        if ((cells.get(index)?.acknowledged ?? 0) > 0) return 'acknowledged';
        failed += cells.get(index)?.failed ?? 0;
      }
      return failed > 0 ? 'failed' : 'none';
    }),
  };
}
