/** The sentinel's senses and hands on one cluster of this machine. */
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { Standbys } from '../../../engine/patroni/standbys.ts';
import { Strays } from '../../../engine/patroni/strays.ts';
import { lockedFor } from '../../../lib/lock.ts';
import { Repeated } from '../../../lib/repeated.ts';
import type { Aim, SenseSample, Sentinel, Sight } from '../../contract.ts';
import { postgresOf } from '../faults/members.ts';
import { postmasterOf, send } from '../faults/processes.ts';
import { memberName, ordinalOf } from '../layout.ts';
import { endConnections } from '../network.ts';
import { type DcsRead, readDcs, revokeLeader } from './dcs.ts';
import { MemberSight, type MemberSightInput, now } from './memberSight.ts';
import { isStray } from './strays.ts';

export interface SensesInput extends MemberSightInput {
  /** Prefix of the cluster's keys in the DCS. */
  scope: string;
}

/** Milliseconds between reads of the DCS: while all is well, and in doubt. */
const DCS_PACE = { calm: 2_000, doubt: 100 };
/** Members that share this machine cannot fall silent without it: what dies closes its sessions, which is told at once. */
const CALM_MS = { isolated: 100, together: 1_000 };

export class LocalSentinel implements Sentinel {
  readonly calmMs: number;
  readonly #input: SensesInput;
  readonly #dcs: Repeated<DcsRead>;
  readonly #standbys: Standbys;
  readonly #strays: Strays;
  readonly #stop = new AbortController();
  #sight: MemberSight | undefined;
  #doubt = false;

  constructor(input: SensesInput) {
    this.#input = input;
    this.calmMs = input.record.isolated ? CALM_MS.isolated : CALM_MS.together;
    const { scope, clients } = input;
    this.#standbys = new Standbys(name => clients.patroni(name), now);
    this.#strays = new Strays((name, signal) => isStray(name, input, signal), now);
    this.#dcs = new Repeated(DCS_PACE.calm, now, signal =>
      readDcs(scope, clients, { now, everyVoter: this.#doubt }, signal),
    );
  }

  async sight(): Promise<Sight> {
    const { paths, spec } = this.#input;
    return {
      members: memberNames(spec),
      paused: this.#dcs.last?.value.paused === true,
      operation: await lockedFor(paths.lock),
    };
  }

  async sample({ member, doubt, busy, onAlarm }: Aim): Promise<SenseSample> {
    if (this.#sight?.member !== member) {
      const before = this.#sight;
      if (before?.lost === true && member !== undefined) void this.#forsake(before.member);
      await before?.[Symbol.asyncDispose]();
      this.#sight = member === undefined ? undefined : await MemberSight.open(member, this.#input, onAlarm);
    }
    const seen = await this.#sight?.sample(doubt, busy);
    // The end of a process is no doubt yet in this look; the answers must be there in the next one all the same.
    const alarmed = doubt || seen?.process === 'gone' || seen?.process === 'ending';
    this.#doubt = alarmed;
    this.#dcs.pace(alarmed ? DCS_PACE.doubt : DCS_PACE.calm);
    const dcs = this.#dcs.last;
    const recorded = dcs?.value.sync?.standbys ?? [];
    this.#standbys.watch(recorded, alarmed && !busy);
    const others = memberNames(this.#input.spec).filter(name => name !== member);
    this.#strays.watch(member === undefined || busy ? [] : others);
    return {
      strays: this.#strays.found(),
      leader: dcs?.value.leader,
      sync: dcs?.value.sync && {
        leader: dcs.value.sync.leader,
        standbys: recorded.map(name => ({ name, streams: undefined, answers: this.#standbys.answers(name) })),
      },
      ...seen,
    };
  }

  async revoke({ leader, revision }: { leader: string; revision: string }): Promise<boolean> {
    const { scope, clients } = this.#input;
    const tag = this.#dcs.last?.value.members[leader];
    const suspect = this.#sight && ordinalOf(this.#sight.member);
    return await revokeLeader(scope, clients, { revision, tag, suspect }, this.#stop.signal);
  }

  async fence(member: string): Promise<boolean> {
    const { paths } = this.#input;
    const postmaster = await postmasterOf(paths, member);
    if (postmaster === undefined) return false;
    const children = await postgresOf(member, { paths });
    return (await send([postmaster, ...children], 'SIGKILL')) > 0;
  }

  async wake(member: string): Promise<void> {
    await this.#input.clients
      .patroni(member)
      .wake(this.#stop.signal)
      .catch(() => {});
  }

  /**
   * Whoever waits for an answer of a host that is gone waits for hours, for the network owes it nothing: PgBouncer too,
   * with a client behind it. When another leads, such connections end.
   */
  async #forsake(member: string): Promise<void> {
    const { record } = this.#input;
    // What shares this machine and ends has its connections closed.
    if (!record.isolated) return;
    // Where it fails they hang as they would without us.
    await endConnections(record, ordinalOf(member), this.#stop.signal).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#dcs[Symbol.dispose]();
    this.#standbys[Symbol.dispose]();
    this.#strays[Symbol.dispose]();
    await this.#sight?.[Symbol.asyncDispose]();
  }
}

function memberNames(spec: ClusterSpec): string[] {
  return Array.from({ length: spec.instances }, (_, n) => memberName(spec, n));
}
