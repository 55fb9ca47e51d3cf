/** An attempt that takes longer is a sign of a queue; its time limit is 2 s. */
const SLOW_MS = 500;
const QUICK_MS = 250;
const FIRST_WIDTH = 4;

/**
 * Lets a few through at a time, in the order in which they came. Attempts to connect pass it: a login costs a server
 * milliseconds of its one thread, so that thousands at once would all time out, and all try again. It gets narrower
 * while attempts are slow and wider, up to its limit, while they are quick.
 */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  readonly #widest: number;
  #head = 0;
  #inside = 0;
  #width: number;

  constructor(widest: number) {
    this.#widest = widest;
    this.#width = Math.min(FIRST_WIDTH, widest);
  }

  /** Resolves with the way out, to be called once with the time that the attempt took. */
  async enter(): Promise<(tookMs: number) => void> {
    if (this.#inside < this.#width && this.queued === 0) this.#inside++;
    else await new Promise<void>(resolve => void this.#waiting.push(resolve));
    let left = false;
    return tookMs => {
      if (left) return;
      left = true;
      this.#leave(tookMs);
    };
  }

  /** Attempts that wait for their turn. */
  get queued(): number {
    return this.#waiting.length - this.#head;
  }

  get width(): number {
    return this.#width;
  }

  #leave(tookMs: number): void {
    this.#inside--;
    if (tookMs > SLOW_MS) this.#width = Math.max(1, this.#width - 1);
    else if (tookMs < QUICK_MS) this.#width = Math.min(this.#widest, this.#width + 1);
    while (this.#inside < this.#width) {
      const next = this.#waiting[this.#head];
      if (next === undefined) return;
      this.#head++;
      // Cheap at any length: taking from the front of a long array is not.
      if (this.#head > 1_000 && this.#head * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      this.#inside++;
      next();
    }
  }
}
