/** Members that take writes, by the word of their own host, beside a Patroni that does not answer. */
import { answersTo } from '../../../lib/reach.ts';
import { Repeated } from '../../../lib/repeated.ts';
import type { ClientPool } from '../clients.ts';
import { memberAddress, ordinalOf, type Paths } from '../layout.ts';
import { connectInside } from '../primarySql.ts';
import { insideTarget } from '../psqlCommand.ts';
import type { ClusterRecord } from '../record.ts';

/** Nobody waits for this fence: the lease has moved, and clients with it. */
const PACE = { calm: 5_000, suspect: 500 };
const ANSWER_MS = 800;
const FRESH_MS = 1_500;

interface Means {
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
}

export class Strays implements Disposable {
  readonly #means: Means;
  readonly #now: () => number;
  readonly #asked = new Map<string, Repeated<boolean>>();

  constructor(means: Means, now: () => number) {
    this.#means = means;
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
      const asked = new Repeated(PACE.calm, this.#now, signal => isStray(name, this.#means, signal));
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

/** Whoever is on a host that nothing reaches could not tell us anything. Rejects only when the signal aborts. */
async function isStray(
  member: string,
  { paths, record, clients }: Means,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await using session = await connectInside(insideTarget(record, paths, member), signal, ANSWER_MS);
    const [row] = await session.query('SELECT pg_is_in_recovery() AS recovering');
    if (row?.recovering !== false) return false;
  } catch {
    signal.throwIfAborted();
    return false;
  }
  if (!(await answersTo(memberAddress(record, ordinalOf(member)), record.port))) return false;
  try {
    await clients.patroni(member).status(signal, ANSWER_MS);
    return false;
  } catch {
    signal.throwIfAborted();
    return true;
  }
}
