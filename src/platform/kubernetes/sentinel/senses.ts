/**
 * The sentinel's senses and hands on one cluster: sessions and Patroni's interface over the pod network, the leader key
 * over the API server; in doubt a shell in its container, by exec, which is also the hand that kills.
 */
import { Standbys } from '../../../engine/patroni/standbys.ts';
import { Strays } from '../../../engine/patroni/strays.ts';
import { Repeated } from '../../../lib/repeated.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { Aim, SenseSample, Sentinel, Sight } from '../../contract.ts';
import { ROLE_LABEL } from '../objects/labels.ts';
import { RESTARTING_ANNOTATION } from '../patroni/announce.ts';
import { type DcsRead, dcsOf, readDcs, takeKey } from '../patroni/leaderKey.ts';
import type { DcsContext } from '../patroni/write.ts';
import { KeyClock } from './keyClock.ts';
import { hostWordOf, MemberSight } from './memberSight.ts';
import { Post, type PostInput } from './post.ts';
import { isStray } from './stray.ts';
import { tagNoFailover } from './tag.ts';

/** Milliseconds. While all is well the watched copy does, and nobody is asked. */
const READ = { calm: 60_000, doubt: 100, answer: 800, fresh: 1_000 };

/** A restart takes no longer, or needs a person to look. */
const RESTART_MS = 120_000;

type Read = { sentAt: number; dcs: DcsRead } | 'unreadable';

export class KubernetesSentinel implements Sentinel {
  readonly #post: Post;
  readonly #clock = new KeyClock();
  readonly #reads: Repeated<Read>;
  readonly #standbys: Standbys;
  readonly #strays: Strays;
  readonly #stop = new AbortController();
  #sight: MemberSight | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  /** What was last said of a restart, and when we saw it first. */
  #announcement: { text: string | undefined; at: number } = { text: undefined, at: 0 };

  constructor(input: PostInput) {
    this.#post = new Post(input);
    this.#standbys = new Standbys(name => this.#post.patroni(name), now);
    this.#strays = new Strays((name, signal) => isStray(name, this.#post, signal), now);
    this.#reads = new Repeated(READ.calm, now, signal => this.#read(signal));
  }

  get calmMs(): number {
    return this.#post.input.calmMs();
  }

  async sight(): Promise<Sight> {
    const { paused, moving } = this.#watched();
    const restarting = this.#sight?.restarting === true || this.#announced();
    const asked = moving ? 'switchover' : restarting ? 'restart' : undefined;
    return { members: this.#post.members, paused, operation: this.#post.input.operation() ?? asked };
  }

  async sample({ member, doubt, busy, onAlarm }: Aim): Promise<SenseSample> {
    this.#aim(member, onAlarm);
    const seen = this.#sight?.sample(doubt && !busy, busy);
    // The end of a session is no doubt yet in this look; the answers must be there in the next one all the same.
    const alarmed = doubt || seen?.process === 'gone' || seen?.link?.state === 'closed';
    this.#reads.pace(alarmed ? READ.doubt : READ.calm);
    const { leader, sync } = this.#key(alarmed);
    const recorded = sync?.standbys ?? [];
    this.#standbys.watch(recorded, alarmed && !busy);
    const others = this.#post.members.filter(name => name !== member);
    this.#strays.watch(member === undefined || busy ? [] : others);
    return {
      strays: this.#strays.found(),
      leader,
      sync: sync && {
        leader: sync.leader,
        standbys: recorded.map(name => ({ name, streams: undefined, answers: this.#standbys.answers(name) })),
      },
      ...seen,
    };
  }

  async revoke({ leader, revision }: { leader: string; revision: string }): Promise<boolean> {
    using signal = withDeadline(this.#stop.signal, 'the revocation', READ.answer * 3);
    const context = this.#post.dcs(signal);
    const before = this.#reads.last?.value;
    const renewTime = before === undefined || before === 'unreadable' ? undefined : before.dcs.key?.renewTime;
    const same = ({ key }: DcsRead) => key?.revision === revision && key.renewTime === renewTime;
    await tagNoFailover(this.#post.pod(leader), context);
    const taken = await takeKey(same, context);
    if (taken) await this.#hide(context);
    return taken;
  }

  async fence(member: string): Promise<boolean> {
    if (this.#sight?.member === member) return await this.#sight.fence();
    using host = hostWordOf(member, this.#post);
    return await host.kill();
  }

  async wake(member: string): Promise<void> {
    await this.#post
      .patroni(member)
      ?.wake(this.#stop.signal)
      .catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#reads[Symbol.dispose]();
    this.#standbys[Symbol.dispose]();
    this.#strays[Symbol.dispose]();
    this.#sight?.[Symbol.dispose]();
    this.#post[Symbol.dispose]();
  }

  /** A member's pod that was made anew has another address. */
  #aim(member: string | undefined, onAlarm: () => void): void {
    const target = member === undefined ? undefined : this.#post.link(member);
    const sight = this.#sight;
    if (sight?.member === member && (target === undefined || target.host === sight?.target.host)) return;
    sight?.[Symbol.dispose]();
    this.#sight =
      member === undefined || target === undefined
        ? undefined
        : new MemberSight(member, target, this.#post, onAlarm);
  }

  /** Services lead nobody to it any more. A member that leads again puts its label back within a round. */
  async #hide({ client, namespace, signal }: DcsContext): Promise<void> {
    const name = this.#sight?.member;
    if (name === undefined) return;
    const metadata = { labels: { [ROLE_LABEL]: null } };
    await client.merge({ kind: 'Pod', namespace, name }, { metadata }, signal);
  }

  /** Somebody has said so on the pod, and not so long ago, by our clock, that he may have died since. */
  #announced(): boolean {
    const member = this.#sight?.member;
    const said = member === undefined ? undefined : this.#post.pod(member)?.metadata.annotations;
    const text = said?.[RESTARTING_ANNOTATION];
    if (this.#announcement.text !== text) this.#announcement = { text, at: now() };
    return text !== undefined && now() - this.#announcement.at < RESTART_MS;
  }

  #watched(): DcsRead {
    return dcsOf(this.#post.input.spec.name, this.#post.input.watched().configMaps);
  }

  /** In doubt what a quorum has answered, else what was watched, which is as old as its last renewal. */
  #key(alarmed: boolean): Pick<SenseSample, 'leader'> & Pick<DcsRead, 'sync'> {
    const { renewedAt } = this.#post.input.watched();
    const watched = this.#watched();
    if (watched.key !== undefined && renewedAt !== undefined) this.#clock.note(watched.key, renewedAt);
    const { value: read, endedAt } = this.#reads.last ?? { value: undefined, endedAt: 0 };
    if (!alarmed || read === undefined || now() - endedAt > READ.fresh) {
      if (renewedAt === undefined) return { leader: undefined, sync: watched.sync };
      return { leader: this.#clock.read(watched.key, renewedAt), sync: watched.sync };
    }
    if (read === 'unreadable') return { leader: { state: 'unreadable' }, sync: undefined };
    const { dcs, sentAt } = read;
    // A renewal that the watch has not told yet was written after the question before.
    if (dcs.key !== undefined) this.#clock.note(dcs.key, sentAt, this.#readAt);
    this.#readAt = sentAt;
    return { leader: this.#clock.read(dcs.key, sentAt), sync: dcs.sync };
  }

  async #read(outer: AbortSignal): Promise<Read> {
    const sentAt = now();
    try {
      using signal = withDeadline(outer, 'the leader key', READ.answer);
      return { sentAt, dcs: await readDcs(this.#post.dcs(signal)) };
    } catch {
      outer.throwIfAborted();
      return 'unreadable';
    }
  }
}

/** Monotonic, milliseconds. */
function now(): number {
  return performance.now();
}
