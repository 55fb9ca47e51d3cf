/** Looks at each member from inside its host, and at the leader key, ten times a second. */
import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import type { LeaderSample, MemberSample } from '../../core/drill/timeline.ts';
import { sleep } from '../../lib/time.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { connectInside } from './inside.ts';

const SAMPLE_EVERY_MS = 100;
const ANSWER_MS = 300;
const AS = {
  database: 'postgres',
  connectMs: ANSWER_MS,
  answerMs: ANSWER_MS,
  name: 'pgherd-drill-watch',
};

export class Watch implements AsyncDisposable {
  readonly members: MemberSample[] = [];
  readonly leaders: LeaderSample[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  /** Begins at once. */
  constructor(cluster: PlatformCluster, members: readonly string[]) {
    const { signal } = this.#stop;
    this.#running = Promise.allSettled([
      ...members.map(member => this.#watchMember(cluster, member, signal)),
      this.#watchLeader(cluster, signal),
    ]);
  }

  /** Who called itself primary last, and nobody after it. */
  get primary(): string | undefined {
    const last = new Map(this.members.map(sample => [sample.member, sample.answer]));
    const primaries = [...last].filter(([, answer]) => answer === 'primary').map(([member]) => member);
    return primaries.length === 1 ? primaries[0] : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #watchMember(cluster: PlatformCluster, member: string, signal: AbortSignal): Promise<void> {
    let client: pg.Client | undefined;
    while (!signal.aborted) {
      const began = now();
      let answer: MemberSample['answer'] = 'silent';
      try {
        client ??= await connectInside(cluster, member, AS);
        const result = await client.query('SELECT pg_is_in_recovery() AS recovering');
        answer = result.rows[0]?.recovering === true ? 'standby' : 'primary';
      } catch {
        void client?.end().catch(() => {});
        client = undefined;
      }
      this.members.push({ at: now(), member, answer });
      await sleep(Math.max(10, SAMPLE_EVERY_MS - (now() - began)), signal).catch(() => {});
    }
    void client?.end().catch(() => {});
  }

  async #watchLeader(cluster: PlatformCluster, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = now();
      const leader = await cluster.leader(signal).catch(() => 'unknown' as const);
      this.leaders.push({ at: now(), leader });
      await sleep(Math.max(10, SAMPLE_EVERY_MS - (now() - began)), signal).catch(() => {});
    }
  }
}

/** Unix milliseconds that do not jump when the clock is set. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
