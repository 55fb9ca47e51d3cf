import type { Decision } from '../decision.ts';
import { begin, type Evidence } from '../evidence.ts';
import { look } from '../look.ts';
import { type LeaderRead, outside, type Sample, type Setting } from '../sample.ts';
import { makeSetting, primary } from './fixture.ts';

/** What is wrong with the primary and around it, at one moment. */
export interface Conditions {
  /** Nobody reaches its host, nor does its Patroni reach the DCS. */
  cut?: boolean;
  postmaster?: 'stopped' | 'gone';
  /** Stopped: neither answers nor renews. Looping: answers and does not renew. */
  patroni?: 'stopped' | 'looping';
  commitsHang?: boolean;
  /** A killed process hangs in the kernel; its sessions end. */
  unkillable?: boolean;
  /** Only the sentinel's own session to the primary is silent. */
  linkSilent?: boolean;
  /** The sentinel reaches neither other hosts nor the DCS. */
  sentinelCut?: boolean;
  /** How late this look of the sentinel is. */
  lateMs?: number;
}

export interface Scenario {
  /** By milliseconds since the beginning. The first look is at 0. */
  conditions: (at: number) => Conditions;
  untilMs: number;
  lookMs?: number;
  setting?: Partial<Setting>;
  /** A woken Patroni hands the lead on after this; undefined: never. */
  handsOnAfterMs?: number;
}

export interface Event {
  at: number;
  decision: Decision;
}

/** What became of the primary by what the sentinel did. */
interface State {
  killedAt: number | undefined;
  releasedAt: number | undefined;
  renewedAt: number;
  commitSince: number | undefined;
}

const ttlMs = 20_000;
/** From the release of the key: another takes it; it takes writes. */
const electionMs = 200;
const promotionMs = 450;

/** Lets the sentinel look at a cluster of three and carries out what it decides. */
export function simulate(scenario: Scenario): { events: Event[]; samples: Sample[]; memory: Evidence } {
  const setting = makeSetting(scenario.setting);
  let memory = begin(-100, setting);
  const state: State = { killedAt: undefined, releasedAt: undefined, renewedAt: 0, commitSince: undefined };
  const events: Event[] = [];
  const samples: Sample[] = [];
  let lateMs = 0;
  for (let planned = 0; planned <= scenario.untilMs; planned += scenario.lookMs ?? 100) {
    lateMs = scenario.conditions(planned).lateMs ?? 0;
    const at = planned + lateMs;
    if (at <= memory.at) continue;
    const sample = gather(scenario.conditions(at), state, memory, setting, at, lateMs);
    samples.push(sample);
    const result = look(memory, sample);
    memory = result.memory;
    for (const decision of result.decisions) {
      if (decision.kind !== 'nothing') events.push({ at, decision });
      if (decision.kind === 'fence') state.killedAt = at;
      if (decision.kind === 'revoke') state.releasedAt ??= at;
      if (decision.kind === 'wake' && scenario.handsOnAfterMs !== undefined) {
        state.releasedAt ??= at + scenario.handsOnAfterMs;
      }
    }
  }
  return { events, samples, memory };
}

function gather(
  now: Conditions,
  state: State,
  memory: Evidence,
  setting: Setting,
  at: number,
  lateMs: number,
): Sample {
  const killed = state.killedAt !== undefined && !now.unkillable;
  const gone = now.postmaster === 'gone' || killed;
  if (!now.cut && !gone && now.patroni === undefined) state.renewedAt = Math.floor(at / 1000) * 1000;
  const serves = !gone && state.killedAt === undefined;
  const hangs = now.commitsHang === true && !gone;
  state.commitSince = hangs ? (state.commitSince ?? Math.floor(at / 500) * 500) : undefined;
  const leader = now.sentinelCut ? ({ state: 'unreadable' } as const) : leaderAt(state, at);
  const member = memory.watch?.member;
  const common = { at, ownLateMs: lateMs, setting, member, leader, sync: syncAt(state, at) };
  const fenced = state.killedAt === undefined ? undefined : { member: primary, sent: true };
  if (member !== primary) return { ...common, ...promoted(state, at) };
  const attemptAt = Math.floor(at / 300) * 300;
  const reached = !now.cut;
  return {
    ...common,
    fenced,
    link: linkOf(now, gone || state.killedAt !== undefined),
    process: now.cut ? 'unknown' : gone ? 'gone' : 'running',
    ...(now.cut
      ? {}
      : {
          newConnection: { succeeded: serves && now.postmaster === undefined, endedAt: attemptAt },
          commit: commitOf(serves, state.commitSince),
        }),
    patroni: { answered: reached && now.patroni !== 'stopped', failsafe: false, endedAt: attemptAt },
    vantages: memory.watch?.doubtSince === undefined ? [] : vantagesAt(now, reached),
  };
}

function commitOf(serves: boolean, since: number | undefined): Sample['commit'] {
  if (since !== undefined) return { state: 'running', since };
  return serves ? { state: 'finished' } : undefined;
}

function linkOf(now: Conditions, gone: boolean): Sample['link'] {
  if (now.cut || now.linkSilent || now.sentinelCut) return { state: 'silent' };
  return gone ? { state: 'closed' } : { state: 'answered', takesWrites: true };
}

function vantagesAt(now: Conditions, reached: boolean): NonNullable<Sample['vantages']> {
  return [
    { from: outside, reached: reached && !now.sentinelCut },
    ...['demo-1', 'demo-2'].map(from => ({ from, reached: now.sentinelCut ? undefined : reached })),
  ];
}

function leaderAt({ releasedAt, renewedAt }: State, at: number): LeaderRead {
  if (releasedAt === undefined || at <= releasedAt) {
    // etcd tells whole seconds.
    const leaseRemainingMs = Math.floor((renewedAt + ttlMs - at) / 1000) * 1000;
    return { state: 'held', name: primary, revision: '7', leaseRemainingMs, ttlMs, sentAt: at };
  }
  if (at < releasedAt + electionMs) return { state: 'none', sentAt: at };
  return { state: 'held', name: 'demo-1', revision: '8', leaseRemainingMs: 19_000, ttlMs, sentAt: at };
}

function syncAt({ releasedAt }: State, at: number): Sample['sync'] {
  return releasedAt !== undefined && at >= releasedAt + electionMs
    ? { leader: 'demo-1', standbys: [] }
    : { leader: primary, standbys: [{ name: 'demo-1', streams: true, answers: true }] };
}

/** The new primary, once there is one. */
function promoted({ releasedAt }: State, at: number): Partial<Sample> {
  if (releasedAt === undefined || at < releasedAt + electionMs) return {};
  const takesWrites = at >= releasedAt + promotionMs;
  return {
    link: { state: 'answered', takesWrites },
    process: 'running',
    newConnection: { succeeded: true, endedAt: at },
    commit: { state: 'finished' },
    patroni: { answered: true, failsafe: false, endedAt: at },
  };
}
