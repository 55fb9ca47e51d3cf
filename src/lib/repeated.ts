/** A probe that runs by itself, one attempt after the other, and keeps its last outcome. */

export interface Outcome<T> {
  value: T;
  endedAt: number;
}

export class Repeated<T> implements Disposable {
  readonly #attempt: (signal: AbortSignal) => Promise<T>;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #everyMs: number;
  #last: Outcome<T> | undefined;
  #startedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param attempt must end by itself in time, and may not reject but for the signal. */
  constructor(everyMs: number, now: () => number, attempt: (signal: AbortSignal) => Promise<T>) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#attempt = attempt;
    this.#timer = setTimeout(() => void this.#run(), 0);
  }

  get last(): Outcome<T> | undefined {
    return this.#last;
  }

  /** Since when an attempt is under way; undefined: none is. */
  get runningSince(): number | undefined {
    return this.#startedAt;
  }

  /** An attempt has been under way for longer than this at that moment. */
  isOverdue(afterMs: number, at = this.#now()): boolean {
    return this.#startedAt !== undefined && at - this.#startedAt > afterMs;
  }

  /** Another pace; a quicker one takes effect at once. */
  pace(everyMs: number): void {
    const quicker = everyMs < this.#everyMs;
    this.#everyMs = everyMs;
    if (!quicker || this.#startedAt !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), 0);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    this.#startedAt = this.#now();
    try {
      const value = await this.#attempt(signal);
      this.#last = { value, endedAt: this.#now() };
    } catch {
      // Only the end of the probe itself.
    }
    const spent = this.#now() - this.#startedAt;
    this.#startedAt = undefined;
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#run(), Math.max(0, this.#everyMs - spent));
  }
}
