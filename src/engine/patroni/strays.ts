/** Members that take writes beside a Patroni that does not answer, although another one leads. */
import { Repeated } from '../../lib/repeated.ts';

/** Nobody waits for this fence: the lease has moved, and clients with it. */
const PACE = { calm: 5_000, suspect: 500 };
const FRESH_MS = 1_500;

export class Strays implements Disposable {
  readonly #isStray: (name: string, signal: AbortSignal) => Promise<boolean>;
  readonly #now: () => number;
  readonly #asked = new Map<string, Repeated<boolean>>();

  /** @param isStray by the word of the member's own host; rejects only when the signal aborts. */
  constructor(isStray: (name: string, signal: AbortSignal) => Promise<boolean>, now: () => number) {
    this.#isStray = isStray;
    this.#now = now;
  }

  /** Asks these from now on, and nobody else. */
  watch(names: readonly string[]): void {
    for (const [name, asked] of this.#asked) {
      if (names.includes(name)) continue;
      asked[Symbol.dispose]();
      this.#asked.delete(name);
    }
    for (const name of names) {
      if (this.#asked.has(name)) continue;
      const asked = new Repeated(PACE.calm, this.#now, signal => this.#isStray(name, signal));
      this.#asked.set(name, asked);
    }
  }

  /** Who was one just now. */
  found(): string[] {
    return [...this.#asked].flatMap(([name, asked]) => {
      asked.pace(asked.last?.value === true ? PACE.suspect : PACE.calm);
      const isOne = asked.last?.value === true && this.#now() - asked.last.endedAt < FRESH_MS;
      return isOne ? [name] : [];
    });
  }

  [Symbol.dispose](): void {
    this.watch([]);
  }
}
