import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PgherdError } from '../../lib/errors.ts';
import { monotonic } from './clock.ts';
import type { Load } from './load.ts';
import { isThisMachine, watchProcessors } from './machine.ts';
import { ATTEMPTS_AT_A_TIME, PLATEAU_MS, rampDeadline, shares, threadsFor } from './pace.ts';
import { type ClassedError, classed, type LoadResult, longestGap, type RampEnd, resultOf } from './result.ts';
import { type Latency, Tally } from './tally.ts';
import type { Target } from './target.ts';
import type { Command, Order, Report } from './worker.ts';

/** How it is right now, twice a second. */
export interface Live {
  phase: 'connecting' | 'load';
  /** Of the phase. */
  elapsedMs: number;
  remainingMs: number;
  clients: number;
  connected: number;
  waiting: number;
  perSecond: number;
  latency: Latency | undefined;
  acknowledged: number;
  errors: ClassedError[];
  longestGapMs: number;
}

const LOOK_MS = 500;
/** From the word to begin to the beginning: every thread has heard it by then. */
const NOTICE_MS = 60;
const END_MS = 10_000;

/**
 * Runs the load through one endpoint: connects all clients at a pace that a pooler can follow, lets them act for
 * the time that was asked for, and measures. An abort of the signal ends it early, with what was measured until
 * then. Rejects only when a thread breaks.
 */
export async function runLoad(
  target: Target,
  load: Load,
  context: { signal: AbortSignal; onLive(live: Live): void },
): Promise<LoadResult> {
  const threads = threadsFor(load.clients, availableParallelism());
  const tally = new Tally(threads, load.durationMs);
  await using crew = new Threads(target, load, threads, (thread, report) => {
    if (report.kind === 'window') tally.add(thread, report.window);
  });
  const started = monotonic();
  const ended = await ramp(crew, tally, load, started, context);
  const rampFacts = { milliseconds: monotonic() - started, connected: tally.connected, ended };
  const facts = { clients: load.clients, intervalMs: load.intervalMs, threads };
  const shared = isThisMachine(target.host);
  if (ended === 'stopped') {
    await crew.end();
    const machine = { shared, busy: 0 };
    return resultOf(tally, { ...facts, ramp: rampFacts, milliseconds: 0, stopped: true, machine });
  }
  const busy = watchProcessors();
  const beganAt = monotonic() + NOTICE_MS;
  crew.tell({ kind: 'begin', at: beganAt });
  await watch(crew, tally, load, beganAt, context);
  const machine = { shared, busy: busy() };
  const milliseconds = Math.max(0, Math.min(load.durationMs, monotonic() - beganAt));
  const stopped = context.signal.aborted && milliseconds < load.durationMs;
  await crew.end();
  return resultOf(tally, { ...facts, ramp: rampFacts, milliseconds, stopped, machine });
}

/** Resolves with why the load may begin. */
async function ramp(
  crew: Threads,
  tally: Tally,
  load: Load,
  started: number,
  { signal, onLive }: { signal: AbortSignal; onLive(live: Live): void },
): Promise<RampEnd> {
  if (load.connectEachTime) return 'not-needed';
  const deadline = rampDeadline(load.clients);
  let most = 0;
  let grewAt = started;
  for (;;) {
    await crew.pause(LOOK_MS / 2, signal);
    const now = monotonic();
    if (tally.connected > most) {
      most = tally.connected;
      grewAt = now;
    }
    onLive({
      ...figures(tally, load),
      phase: 'connecting',
      elapsedMs: now - started,
      remainingMs: deadline - (now - started),
      errors: classed([...tally.rampErrors.values()]),
      perSecond: 0,
      latency: undefined,
    });
    if (signal.aborted) return 'stopped';
    if (tally.connected === load.clients) return 'all-connected';
    if (tally.tried === load.clients && now - grewAt > PLATEAU_MS) return 'no-more';
    if (now - started > deadline) return 'deadline';
  }
}

/** Resolves when the load is over. */
async function watch(
  crew: Threads,
  tally: Tally,
  load: Load,
  beganAt: number,
  { signal, onLive }: { signal: AbortSignal; onLive(live: Live): void },
): Promise<void> {
  let last = beganAt;
  while (!signal.aborted && !crew.allDone) {
    const rest = beganAt + load.durationMs - monotonic();
    if (rest <= 0) return;
    await crew.pause(Math.min(LOOK_MS, rest), signal);
    const now = monotonic();
    const recent = tally.takeRecent();
    onLive({
      ...figures(tally, load),
      phase: 'load',
      elapsedMs: now - beganAt,
      remainingMs: Math.max(0, beganAt + load.durationMs - now),
      errors: classed([...tally.errors.values()]),
      perSecond: (recent.acknowledged * 1_000) / Math.max(1, now - last),
      latency: recent.latency,
      longestGapMs: longestGap(tally.cells, 0),
    });
    last = now;
  }
}

function figures(
  tally: Tally,
  { clients }: Load,
): Pick<Live, 'clients' | 'connected' | 'waiting' | 'acknowledged' | 'longestGapMs'> {
  const { connected, waiting, acknowledged } = tally;
  return { clients, connected, waiting, acknowledged, longestGapMs: 0 };
}

/** The threads, from their start to their end. */
class Threads implements AsyncDisposable {
  readonly #workers: Worker[];
  readonly #done: Promise<void>[];
  #undone: number;
  #broken: PgherdError | undefined;
  #wake: () => void = () => {};

  constructor(
    target: Target,
    load: Load,
    threads: number,
    onReport: (thread: number, report: Report) => void,
  ) {
    this.#undone = threads;
    this.#workers = shares(load.clients, threads).map(({ first, count }) => {
      const attempts = Math.max(1, Math.floor(ATTEMPTS_AT_A_TIME / threads));
      const order: Order = { target, load, first, count, attempts };
      return new Worker(new URL('./worker.ts', import.meta.url), { workerData: order });
    });
    this.#done = this.#workers.map(
      (worker, thread) =>
        new Promise<void>(resolve => {
          worker.on('message', (report: Report) => {
            onReport(thread, report);
            if (report.kind !== 'done') return;
            this.#undone--;
            this.#wake();
            resolve();
          });
          worker.on('error', cause => {
            this.#broken ??= new PgherdError({
              code: 'generator-failed',
              message: `a thread of the load generator ended: ${cause instanceof Error ? cause.message : String(cause)}`,
              hint: 'take fewer clients, or look whether this machine has enough memory',
              cause,
            });
            this.#wake();
            resolve();
          });
          worker.on('exit', () => resolve());
        }),
    );
  }

  get allDone(): boolean {
    return this.#undone === 0;
  }

  tell(command: Command): void {
    for (const worker of this.#workers) worker.postMessage(command);
  }

  /** Waits, at most until the signal aborts or a thread ends; rejects when one broke. */
  async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) this.#wake();
      else signal.addEventListener('abort', this.#wake, { once: true });
    });
    signal.removeEventListener('abort', this.#wake);
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Ends the load, if it has not ended by itself, and waits for the last figures. */
  async end(): Promise<void> {
    this.tell({ kind: 'end' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, END_MS);
    });
    await Promise.race([Promise.all(this.#done), late]);
    clearTimeout(timer);
    if (this.#broken !== undefined) throw this.#broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.terminate()));
  }
}
