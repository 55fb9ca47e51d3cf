import { type Outcome, WorkQueue } from './workQueue.ts';

export interface WorkersOptions {
  /** Keys worked on at the same time. */
  concurrency: number;
  /** Does the work; what it throws counts as a failure and has been reported by then. */
  work(key: string, signal: AbortSignal): Promise<Outcome>;
}

const TIMING = { baseMs: 1000, maxMs: 60_000 };

/** Runs the work queue: as many workers as allowed, each key by one at a time. */
export class Workers {
  readonly queue = new WorkQueue(TIMING);
  readonly #options: WorkersOptions;
  #wake: (() => void) | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  add(key: string, delayMs = 0): void {
    this.queue.add(key, performance.now(), delayMs);
    this.#wake?.();
  }

  /** Runs until `signal` aborts, and then until what is being worked on has ended; `work` aborts that. */
  async run(signal: AbortSignal, work: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    const wake = () => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted) {
      const now = performance.now();
      const key = running.size < this.#options.concurrency ? this.queue.take(now) : undefined;
      if (key !== undefined) {
        const job = this.#work(key, work).finally(() => {
          running.delete(job);
          this.#wake?.();
        });
        running.add(job);
        continue;
      }
      await this.#pause(running.size < this.#options.concurrency ? this.queue.nextIn(now) : undefined);
    }
    signal.removeEventListener('abort', wake);
    await Promise.all(running);
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    let outcome: Outcome = { kind: 'failed' };
    try {
      outcome = await this.#options.work(key, signal);
    } finally {
      this.queue.finish(key, outcome, performance.now(), Math.random());
    }
  }

  #pause(milliseconds: number | undefined): Promise<void> {
    return new Promise(resolve => {
      const timer =
        milliseconds === undefined ? undefined : setTimeout(resolve, Math.min(milliseconds, 60_000));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
