/** All probes that are aimed at the primary. */
import type { Sample } from '../../../core/failover/sample.ts';
import { outside } from '../../../core/failover/sample.ts';
import { Link, type LinkTarget } from '../../../engine/postgres/link.ts';
import { answersTo } from '../../../lib/reach.ts';
import { Repeated } from '../../../lib/repeated.ts';
import type { LiveObject } from '../api/kinds.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { HostWord } from './hostWord.ts';
import { Knocks } from './knocks.ts';
import { Outpost } from './outpost.ts';
import type { Post } from './post.ts';

const PACE = { patroni: { calm: 3_000, doubt: 400 } };
const PATRONI_MS = 800;
const PATRONI_FRESH_MS = 1_500;
/** While its session answers, other places are asked now and then only. */
const ASK_REST_MS = 300;
/** The way to the host stays open for so long after the last reason to ask. */
const KEEP_MS = 10_000;

export class MemberSight implements Disposable {
  readonly member: string;
  /** Of the pod that it was aimed at. */
  readonly target: LinkTarget;
  readonly #post: Post;
  readonly #link: Link;
  readonly #patroni: Repeated<{ answered: boolean; failsafe: boolean; state: string | undefined }>;
  readonly #knocks: Knocks;
  readonly #outposts = new Map<string, Outpost>();
  #host: HostWord | undefined;
  /** Since when the last commit that was seen to be under way in its host has been. */
  #stalledSince = Number.POSITIVE_INFINITY;
  #keepUntil = Number.NEGATIVE_INFINITY;
  /** Outside the address answered, or refused. */
  #reached = true;
  /** Since when the session does not answer. */
  #quietSince: number | undefined;
  #vantages: { from: string; reached: boolean | undefined }[] = [];
  #asking = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(member: string, target: LinkTarget, post: Post, onAlarm: () => void) {
    this.member = member;
    this.target = target;
    this.#post = post;
    this.#link = new Link(target, onAlarm);
    this.#knocks = new Knocks(target, post.input.knockMs(), now);
    this.#patroni = new Repeated(PACE.patroni.calm, now, async signal => {
      const status = await post
        .patroni(member)
        ?.status(signal, PATRONI_MS)
        .catch(() => undefined);
      const { state, failsafe_mode_is_active: failsafe = false } = status ?? {};
      return { answered: status !== undefined, failsafe, state };
    });
  }

  /** Patroni restarts PostgreSQL because somebody asked it to: it would look like a death. */
  get restarting(): boolean {
    const last = this.#patroni.last;
    return last?.value.state === 'restarting';
  }

  sample(doubt: boolean, busy: boolean): Partial<Sample> {
    this.#knocks.pace(this.#post.input.knockMs());
    this.#manOutposts();
    const at = now();
    const link = this.#link.look(at);
    const answered = link?.state === 'answered';
    if (answered) this.#reached = true;
    this.#quietSince = answered ? undefined : (this.#quietSince ?? at);
    const restMs = answered ? ASK_REST_MS : 0;
    const doubts = (doubt || link?.state === 'closed') && !busy;
    this.#patroni.pace(doubts ? PACE.patroni.doubt : PACE.patroni.calm);
    if (doubts && !this.#asking && at - this.#askedAt >= restMs) void this.#ask();
    this.#listen(doubts || (this.#knocks.amiss && !busy), at);
    const word = this.#host?.take();
    const patroni = this.#patroni.last;
    return {
      member: this.member,
      link,
      vantages: this.#vantages.splice(0),
      process: this.#process(link, word?.process),
      ...this.#service(word),
      patroni: patroni && { ...patroni.value, endedAt: patroni.endedAt },
    };
  }

  /** Contract: Sentinel.fence. */
  async fence(): Promise<boolean> {
    if (this.#host !== undefined) return await this.#host.kill();
    using host = hostWordOf(this.member, this.#post);
    return await host.kill();
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
    this.#knocks[Symbol.dispose]();
    this.#host?.[Symbol.dispose]();
    this.#patroni[Symbol.dispose]();
    for (const outpost of this.#outposts.values()) outpost[Symbol.dispose]();
  }

  /** A shell in the member's container, once there is reason to ask. */
  #listen(asks: boolean, at: number): void {
    if (asks) {
      this.#keepUntil = at + KEEP_MS;
      this.#host ??= hostWordOf(this.member, this.#post);
    } else if (at > this.#keepUntil) {
      this.#host?.[Symbol.dispose]();
      this.#host = undefined;
    }
    this.#host?.listen(asks);
  }

  #process(link: Sample['link'], word: Sample['process']): Sample['process'] {
    if (hasEnded(this.#post.pod(this.member))) return 'gone';
    // Who answers a question runs.
    if (link?.state === 'answered') return 'running';
    const patroni = this.#patroni.last;
    // A shell whose pod nothing else reaches must not keep the lead with a primary that no client reaches. A server that
    // lets nobody in is not reached either, once enough have tried: its Patroni is then.
    const near = patroni?.value.answered === true && now() - patroni.endedAt < PATRONI_FRESH_MS;
    if (!this.#reached && !near) return 'unknown';
    // A restart that somebody asked Patroni for is no death: it has to be asked since.
    if (word === 'gone' && (patroni?.endedAt ?? 0) <= (this.#quietSince ?? 0)) return 'unknown';
    // No word says that it runs, where the kernel has just closed our session.
    return word ?? (this.#host === undefined && link?.state === 'closed' ? 'unknown' : undefined);
  }

  /** Bad news is the host's own: over the network it could be the network's. */
  #service(word: ReturnType<HostWord['take']> | undefined): Pick<Sample, 'newConnection' | 'commit'> {
    const { letInAt, wroteAt = 0 } = this.#knocks;
    const inside = word?.newConnection;
    const older = letInAt === undefined || (inside !== undefined && inside.endedAt > letInAt);
    if (word?.commit?.state === 'running') this.#stalledSince = word.commit.since;
    return {
      newConnection: older ? inside : { succeeded: true, endedAt: letInAt },
      // One that began before is no sign of life.
      commit: word?.commit ?? (wroteAt > this.#stalledSince ? { state: 'finished' } : undefined),
    };
  }

  /** A session with every other member, open before it is needed. */
  #manOutposts(): void {
    for (const name of this.#post.members) {
      if (name === this.member) continue;
      const target = this.#post.link(name);
      const known = this.#outposts.get(name);
      if (target === undefined || target.host === known?.target.host) continue;
      known?.[Symbol.dispose]();
      this.#outposts.set(name, new Outpost(target));
    }
  }

  /** Asks the operator's own pod and every other member once whether they reach the primary. */
  async #ask(): Promise<void> {
    this.#asking = true;
    this.#askedAt = now();
    const { host, port } = this.target;
    const note = (from: string, reached: boolean | undefined) => this.#vantages.push({ from, reached });
    try {
      await Promise.all([
        answersTo(host, port).then(answers => {
          this.#reached = answers;
          note(outside, answers);
        }),
        ...[...this.#outposts].map(async ([name, outpost]) => note(name, await outpost.reaches(host, port))),
      ]);
    } finally {
      this.#asking = false;
    }
  }
}

interface ContainerStatus {
  name: string;
  state?: { running?: object };
}

/** The kubelet's word, which is that of the member's own host: its container has ended. */
function hasEnded(pod: LiveObject | undefined): boolean {
  const { containerStatuses = [] } = (pod?.status ?? {}) as { containerStatuses?: ContainerStatus[] };
  const container = containerStatuses.find(({ name }) => name === MEMBER_CONTAINER);
  return container?.state !== undefined && container.state.running === undefined;
}

export function hostWordOf(member: string, { input: { client, namespace } }: Post): HostWord {
  return new HostWord(client, { namespace, pod: member, container: MEMBER_CONTAINER }, now);
}

/** Monotonic, milliseconds. */
function now(): number {
  return performance.now();
}
