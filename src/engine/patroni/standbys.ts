/** Of the recorded synchronous standbys, whether each could take over now: its Patroni answers and runs PostgreSQL. */
import { Repeated } from '../../lib/repeated.ts';
import type { PatroniClient } from './client.ts';

/** Of interest when somebody has to take over. */
const PACE = { calm: 60_000, doubt: 100 };
/** A busy machine's Patroni takes a while; each standby is asked by itself, so that a dead one delays no other. */
const ANSWER_MS = 1_000;
const FRESH_MS = 1_000;

export class Standbys implements Disposable {
  readonly #patroni: (name: string) => PatroniClient | undefined;
  readonly #now: () => number;
  readonly #asked = new Map<string, Repeated<boolean>>();

  /** @param patroni undefined: nobody knows where this member is. */
  constructor(patroni: (name: string) => PatroniClient | undefined, now: () => number) {
    this.#patroni = patroni;
    this.#now = now;
  }

  /** Asks these from now on, and nobody else. */
  watch(names: readonly string[], doubt: boolean): void {
    for (const [name, asked] of this.#asked) {
      if (names.includes(name)) continue;
      asked[Symbol.dispose]();
      this.#asked.delete(name);
    }
    for (const name of names) {
      const asked =
        this.#asked.get(name) ?? new Repeated(PACE.calm, this.#now, signal => this.#ask(name, signal));
      this.#asked.set(name, asked);
      asked.pace(doubt ? PACE.doubt : PACE.calm);
    }
  }

  /** It said so within the last second. */
  answers(name: string): boolean {
    const last = this.#asked.get(name)?.last;
    return last?.value === true && this.#now() - last.endedAt < FRESH_MS;
  }

  [Symbol.dispose](): void {
    for (const asked of this.#asked.values()) asked[Symbol.dispose]();
  }

  async #ask(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      const patroni = this.#patroni(name);
      if (patroni === undefined) return false;
      const { state, tags } = await patroni.status(signal, ANSWER_MS);
      // Patroni passes a tagged member over, and shows the tag only where it is set.
      if (tags?.nofailover !== undefined && tags.nofailover !== false) return false;
      return state === 'running' || state === 'streaming';
    } catch {
      return false;
    }
  }
}
