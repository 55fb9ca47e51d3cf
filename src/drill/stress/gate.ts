/**
 * Lets at most so many through at a time, in the order in which they came. Attempts to connect pass it: a login
 * costs a server milliseconds of its one thread, so that thousands at once would all time out, and all try again.
 */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #free: number;

  constructor(width: number) {
    this.#free = width;
  }

  /** Resolves with the way out, to be called once. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(resolve => void this.#waiting.push(resolve));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  /** Attempts that wait for their turn. */
  get queued(): number {
    return this.#waiting.length - this.#head;
  }

  #leave(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#head++;
    // Cheap at any length: taking from the front of a long array is not.
    if (this.#head > 1_000 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    next();
  }
}
