/** All probes that are aimed at the primary. */
import type { Sample } from '../../../core/failover/sample.ts';
import { outside } from '../../../core/failover/sample.ts';
import { Link, type LinkTarget } from '../../../engine/postgres/link.ts';
import { answersTo } from '../../../lib/reach.ts';
import { Repeated } from '../../../lib/repeated.ts';
import type { LiveObject } from '../api/kinds.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { Outpost } from './outpost.ts';
import type { Post } from './post.ts';

const PACE = { patroni: { calm: 3_000, doubt: 400 } };
const PATRONI_MS = 800;
/** While its session answers, other places are asked now and then only. */
const ASK_REST_MS = 300;

export class MemberSight implements Disposable {
  readonly member: string;
  /** Of the pod that it was aimed at. */
  readonly target: LinkTarget;
  readonly #post: Post;
  readonly #link: Link;
  readonly #patroni: Repeated<{ answered: boolean; failsafe: boolean; state: string | undefined }>;
  readonly #outposts = new Map<string, Outpost>();
  #vantages: { from: string; reached: boolean | undefined }[] = [];
  #asking = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(member: string, target: LinkTarget, post: Post, onAlarm: () => void) {
    this.member = member;
    this.target = target;
    this.#post = post;
    this.#link = new Link(target, onAlarm);
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

  sample(doubt: boolean): Partial<Sample> {
    this.#patroni.pace(doubt ? PACE.patroni.doubt : PACE.patroni.calm);
    this.#manOutposts();
    const at = now();
    const link = this.#link.look(at);
    const restMs = link?.state === 'answered' ? ASK_REST_MS : 0;
    if (doubt && !this.#asking && at - this.#askedAt >= restMs) void this.#ask();
    const patroni = this.#patroni.last;
    return {
      member: this.member,
      link,
      vantages: this.#vantages.splice(0),
      process: processOf(this.#post.pod(this.member)),
      patroni: patroni && { ...patroni.value, endedAt: patroni.endedAt },
    };
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]();
    this.#patroni[Symbol.dispose]();
    for (const outpost of this.#outposts.values()) outpost[Symbol.dispose]();
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
        answersTo(host, port).then(answers => note(outside, answers)),
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

/**
 * The kubelet's word, which is that of the member's own host: its container has ended. It never says that PostgreSQL
 * runs: the container may, without it.
 */
function processOf(pod: LiveObject | undefined): Sample['process'] {
  const { containerStatuses = [] } = (pod?.status ?? {}) as { containerStatuses?: ContainerStatus[] };
  const container = containerStatuses.find(({ name }) => name === MEMBER_CONTAINER);
  return container?.state === undefined || container.state.running !== undefined ? undefined : 'gone';
}

/** Monotonic, milliseconds. */
function now(): number {
  return performance.now();
}
