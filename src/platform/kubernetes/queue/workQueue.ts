import { backoff } from './backoff.ts';

export type Outcome =
  /** `againMs` undefined: nothing to do until somebody adds the key. */
  { kind: 'done'; againMs: number | undefined } | { kind: 'failed' };

export interface QueueTiming {
  /** First and longest pause after failures. */
  baseMs: number;
  maxMs: number;
}

/**
 * Which key is to be worked on next. A key is worked on by one worker at a time; however often it is added meanwhile,
 * it comes once more afterwards. Failures push it back, with jitter; an `add` does not shorten that pause below the
 * base, so that an object that fails and changes all the time cannot starve the others. Pure: times (milliseconds,
 * any monotonic clock) and randomness come in.
 */
export class WorkQueue {
  readonly #timing: QueueTiming;
  /** When each waiting key is due. */
  readonly #due = new Map<string, number>();
  readonly #working = new Set<string>();
  /** Added while it was worked on, and for when. */
  readonly #dirty = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  constructor(timing: QueueTiming) {
    this.#timing = timing;
  }

  /** Keys that wait or are worked on. */
  get length(): number {
    return this.#due.size + this.#working.size;
  }

  get working(): number {
    return this.#working.size;
  }

  /** How many keys should be worked on by now. */
  backlog(now: number): number {
    return [...this.#due.values()].filter(due => due <= now).length;
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Asks for the key after `delayMs`; an earlier time wins. */
  add(key: string, now: number, delayMs = 0): void {
    const floor = this.failures(key) > 0 ? this.#timing.baseMs : 0;
    const at = now + Math.max(delayMs, floor);
    const where = this.#working.has(key) ? this.#dirty : this.#due;
    const known = where.get(key);
    if (known === undefined || at < known) where.set(key, at);
  }

  /** The key that is due longest, now being worked on; undefined: none is due. */
  take(now: number): string | undefined {
    let found: string | undefined;
    let foundAt = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#due) {
      if (at <= now && at < foundAt) [found, foundAt] = [key, at];
    }
    if (found !== undefined) {
      this.#due.delete(found);
      this.#working.add(found);
    }
    return found;
  }

  /** Ends the work on a key that `take` gave. */
  finish(key: string, outcome: Outcome, now: number, random: number): void {
    this.#working.delete(key);
    const dirty = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (outcome.kind === 'failed') {
      const failures = this.failures(key);
      this.#failures.set(key, failures + 1);
      this.#due.set(key, now + backoff(failures, this.#timing, random));
      return;
    }
    this.#failures.delete(key);
    const times = [dirty, outcome.againMs === undefined ? undefined : now + outcome.againMs];
    const next = Math.min(...times.map(time => time ?? Number.POSITIVE_INFINITY));
    if (next !== Number.POSITIVE_INFINITY) this.#due.set(key, next);
  }

  /** Forgets a key: what it names is gone. */
  forget(key: string): void {
    this.#due.delete(key);
    this.#dirty.delete(key);
    this.#failures.delete(key);
  }

  /** Milliseconds until a key is due; undefined: none waits. */
  nextIn(now: number): number | undefined {
    const first = Math.min(...this.#due.values());
    return first === Number.POSITIVE_INFINITY ? undefined : Math.max(0, first - now);
  }
}
