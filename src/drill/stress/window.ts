import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Everything that happened in one thread in about half a second. Threads send these; nobody keeps lists of latencies. */
export interface Window {
  phase: 'ramp' | 'load';
  /** Milliseconds since the load began; of the ramp: since the thread began. */
  fromMs: number;
  toMs: number;
  /** How it stood at the end of the window. */
  connected: number;
  /** Clients with a statement that has no answer yet. */
  waiting: number;
  /** Age of the oldest of these, in milliseconds. */
  oldestMs: number;
  /** Clients that have ended at least one attempt to connect. */
  tried: number;
  acknowledged: number;
  rows: number;
  errors: ErrorCount[];
  /** Microseconds. A clone of a histogram shares its storage: it costs nothing to send. */
  reads: RecordableHistogram;
  writes: RecordableHistogram;
  connects: RecordableHistogram;
  cells: Cell[];
  /** Share of the time in which the thread's event loop had something to do, or waited for a processor to do it. */
  utilisation: number;
  /** Share of the time in which the thread had a processor. */
  cpu: number;
  /** How late timers were at worst, in milliseconds. */
  delayMs: number;
}

export interface ErrorCount {
  /** SQLSTATE or system code. */
  code: string;
  count: number;
  /** What the server said, and how often. The rest of the count came after too many different texts. */
  messages: Map<string, number>;
}

/** What happened in one stretch of 100 ms of the load. */
export interface Cell {
  index: number;
  acknowledged: number;
  failed: number;
  /** First and last acknowledgement in it, milliseconds since the load began. */
  first: number;
  last: number;
}

export const CELL_MS = 100;

/** Texts kept per code: some contain a number that is another one each time. */
const MESSAGES = 8;

/** Adds to the counts of a code. */
export function mergeError(into: Map<string, ErrorCount>, error: ErrorCount): void {
  const known = into.get(error.code);
  if (known === undefined) {
    into.set(error.code, { ...error, messages: new Map(error.messages) });
    return;
  }
  known.count += error.count;
  for (const [text, count] of error.messages) {
    const before = known.messages.get(text);
    if (before !== undefined || known.messages.size < MESSAGES)
      known.messages.set(text, (before ?? 0) + count);
  }
}

const HOUR_IN_MICROSECONDS = 3_600e6;

/** Latencies from a microsecond to an hour with three digits that count. */
export function latencies(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: HOUR_IN_MICROSECONDS, figures: 3 });
}

export function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.min(HOUR_IN_MICROSECONDS, Math.max(1, Math.round(milliseconds * 1000))));
}

/** Counts of one thread, until `take` makes a window of them and begins the next. */
export class Recorder {
  #acknowledged = 0;
  #rows = 0;
  #errors = new Map<string, ErrorCount>();
  #reads = latencies();
  #writes = latencies();
  #connects = latencies();
  #cells = new Map<number, Cell>();

  /** @param at milliseconds since the load began. */
  acknowledged(at: number, latencyMs: number, kind: 'read' | 'write', rows: number): void {
    this.#acknowledged++;
    this.#rows += rows;
    record(kind === 'read' ? this.#reads : this.#writes, latencyMs);
    const cell = this.#cell(at);
    if (cell.acknowledged === 0) cell.first = at;
    cell.acknowledged++;
    cell.last = at;
  }

  failed(at: number, code: string, message: string): void {
    mergeError(this.#errors, { code, count: 1, messages: new Map([[message, 1]]) });
    if (at >= 0) this.#cell(at).failed++;
  }

  connected(latencyMs: number): void {
    record(this.#connects, latencyMs);
  }

  take(): Pick<Window, 'acknowledged' | 'rows' | 'errors' | 'reads' | 'writes' | 'connects' | 'cells'> {
    const taken = {
      acknowledged: this.#acknowledged,
      rows: this.#rows,
      errors: [...this.#errors.values()],
      reads: this.#reads,
      writes: this.#writes,
      connects: this.#connects,
      cells: [...this.#cells.values()],
    };
    this.#acknowledged = 0;
    this.#rows = 0;
    this.#errors = new Map();
    this.#reads = latencies();
    this.#writes = latencies();
    this.#connects = latencies();
    this.#cells = new Map();
    return taken;
  }

  #cell(at: number): Cell {
    const index = Math.floor(at / CELL_MS);
    let cell = this.#cells.get(index);
    if (cell === undefined) {
      cell = { index, acknowledged: 0, failed: 0, first: at, last: at };
      this.#cells.set(index, cell);
    }
    return cell;
  }
}
