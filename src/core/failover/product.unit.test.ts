import { describe, expect, it } from 'vitest';
import type { FenceCause } from './accusations.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Evidence, Watch } from './evidence.ts';
import type { Setting } from './sample.ts';
import { makeEvidence, makeSetting, makeStreak, makeVantages, now, primary } from './testing/fixture.ts';

/** Every state of everything that matters, each as if it had lasted for long. */
const dimensions = {
  link: ['answered', 'silent', 'closed'],
  process: ['running', 'ending', 'gone', 'unknown'],
  logins: ['succeed', 'fail'],
  commits: ['finish', 'hang'],
  patroni: ['answers', 'silent', 'failsafe'],
  lease: ['renewed', 'stale', 'ending'],
  key: ['held', 'none', 'unreadable', 'taken by another'],
  vantages: ['reached', 'unreached', 'mute'],
  standby: ['answers', 'silent'],
  setting: ['sync', 'strict', 'async', 'single', 'paused', 'maintenance', 'operation', 'late'],
  recent: ['nothing', 'revoked', 'fenced'],
} as const;

type State = { -readonly [Name in keyof typeof dimensions]: (typeof dimensions)[Name][number] };

function* states(): Generator<State> {
  const entries = Object.entries(dimensions);
  const total = entries.reduce((product, [, values]) => product * values.length, 1);
  for (let number = 0; number < total; number += 1) {
    let rest = number;
    const state: Record<string, string> = {};
    for (const [name, values] of entries) {
      state[name] = values[rest % values.length] ?? '';
      rest = Math.floor(rest / values.length);
    }
    yield state as State;
  }
}

const free = new Set<string>(['sync', 'strict']);
const long = makeStreak(8_000);
const settings: Record<State['setting'], Partial<Setting>> = {
  sync: {},
  strict: { mode: 'strict' },
  async: { mode: 'async' },
  single: { mode: 'single' },
  paused: { paused: true },
  maintenance: { maintenance: true },
  operation: { operation: 'switchover' },
  late: {},
};

/** Whatever the reducer would have made of looks that all showed this. */
function evidenceOf(state: State): Evidence {
  const answers = state.link === 'answered';
  const lives = answers || state.logins === 'succeed';
  const works = lives && state.process === 'running';
  const visible =
    works ||
    answers ||
    state.process === 'running' ||
    state.vantages === 'reached' ||
    state.patroni !== 'silent';
  const fencedAt = now - 3_000;
  const watch: Partial<Watch> = {
    doubtSince: now - 8_000,
    link: state.link,
    answeredAt: answers ? now : now - 9_000,
    quiet: answers ? undefined : long,
    unseen: visible ? undefined : long,
    process: { state: state.process, since: state.process === 'gone' ? now - 2_900 : now - 100_000, at: now },
    gone: state.process === 'gone' && !answers ? makeStreak(2_900) : undefined,
    loginsFail: state.logins === 'fail' ? long : undefined,
    commit: state.commits === 'hang' ? { since: now - 8_000, stalled: long } : undefined,
    patroniSilent: state.patroni === 'silent' ? long : undefined,
    patroniAnsweredAt: state.patroni === 'silent' ? now - 8_000 : now - 100,
    failsafeAt: state.patroni === 'failsafe' ? now - 100 : undefined,
    alive: works || answers ? { by: 'a login', at: now } : undefined,
    seen: visible ? { by: 'demo-1', at: now } : undefined,
    vantages: state.vantages === 'mute' ? {} : makeVantages(state.vantages === 'reached'),
  };
  const leftMs = { renewed: 19_500, stale: 15_000, ending: 2_000 }[state.lease];
  const name = state.key === 'taken by another' ? 'demo-2' : primary;
  return makeEvidence(watch, {
    timely: state.setting !== 'late',
    setting: makeSetting(settings[state.setting]),
    key: {
      state: state.key === 'taken by another' ? 'held' : state.key,
      sentAt: now - 20,
      holder: { name, revision: '7', leaseEndsAt: now + leftMs, ttlMs: 20_000 },
    },
    sync: {
      leader: primary,
      standbys: [{ name: 'demo-1', streams: true, answers: state.standby === 'answers' }],
      at: now,
    },
    revoked: state.recent === 'revoked' ? { member: 'demo-2', revision: '6', at: fencedAt } : undefined,
    fences: state.recent === 'fenced' ? { [primary]: { at: fencedAt, sent: true } } : {},
  });
}

/** What every revocation and every fence for the sake of availability must be able to rely on. */
function mayReplace(state: State): boolean {
  return (
    free.has(state.setting) &&
    state.key === 'held' &&
    state.vantages !== 'mute' &&
    state.standby === 'answers' &&
    state.recent !== 'revoked'
  );
}

function mayRevoke(state: State): boolean {
  const { link, process, recent } = state;
  const answers = link === 'answered';
  if (!mayReplace(state) || answers) return false;
  if (process === 'gone') return true;
  if (process === 'running') return recent === 'fenced' && state.logins === 'fail';
  return state.vantages === 'unreached' && state.patroni === 'silent';
}

function mayFence(state: State, cause: FenceCause): boolean {
  const { patroni, lease, key, setting } = state;
  if (state.process !== 'running' || setting === 'late' || setting === 'single' || setting === 'paused') {
    return false;
  }
  if (patroni === 'failsafe') return false;
  const replaces = mayReplace(state) && state.recent === 'nothing';
  switch (cause) {
    case 'hung-postmaster':
      return replaces && state.logins === 'fail';
    case 'hung-commit':
      return replaces && state.commits === 'hang';
    case 'lease-stale':
      return replaces && patroni === 'silent' && lease !== 'renewed';
    case 'lease-ending':
      if (key === 'held') return lease === 'ending';
      if (key === 'none') return patroni === 'silent';
      return key === 'unreadable' && patroni === 'silent' && lease === 'ending' && state.vantages !== 'mute';
    case 'superseded':
      return false;
  }
}

function complaintAbout(state: State, decisions: Decision[]): string | undefined {
  const of = <Kind extends Decision['kind']>(kind: Kind): Extract<Decision, { kind: Kind }>[] =>
    decisions.filter((decision): decision is Extract<Decision, { kind: Kind }> => decision.kind === kind);
  const [fence, secondFence] = of('fence');
  const fences = (['lease-ending', 'lease-stale', 'hung-postmaster', 'hung-commit'] as const).filter(cause =>
    mayFence(state, cause),
  );
  const revokes = of('revoke').length;
  if (secondFence !== undefined || revokes > 1) return 'decided twice';
  if (fence?.why !== fences[0]) return `fence: ${fence?.why}, not ${fences[0]}`;
  if (revokes === 1 && fence !== undefined) return 'fenced and revoked in one look';
  if (revokes !== (mayRevoke(state) && fence === undefined ? 1 : 0)) return `revoke: ${revokes}`;
  if (of('nothing').length > 0 && decisions.length > 1) return 'nothing does not stand alone';
  const handsOff = ['paused', 'maintenance', 'operation', 'late'].includes(state.setting);
  if (handsOff && of('hold').length + of('wake').length > 0) return 'hands off';
  if (of('resume').length > 0) return 'resumed what was not held';
  if (of('withheld').some(({ vetoes }) => vetoes.length === 0)) return 'withheld without a veto';
  const isThere = state.process === 'running' || state.process === 'ending';
  if (of('wake').length > 0 && (isThere || state.link === 'answered')) return 'woken';
  return undefined;
}

describe('every state', () => {
  it('revokes and fences exactly where the rules say', { timeout: 600_000 }, () => {
    let count = 0;
    const seen = { revoke: 0, fence: 0, hold: 0, wake: 0, withheld: 0, nothing: 0, resume: 0 };
    for (const state of states()) {
      const decisions = decide(evidenceOf(state));
      const complaint = complaintAbout(state, decisions);
      if (complaint !== undefined) expect.fail(`${complaint}: ${JSON.stringify(state)}`);
      for (const { kind } of decisions) seen[kind] += 1;
      count += 1;
    }
    expect(count).toBe(3 * 4 * 2 * 2 * 3 * 3 * 4 * 3 * 2 * 8 * 3);
    expect({ ...seen, resume: 1 }).not.toContain(0);
    expect(seen.revoke).toBeGreaterThan(500);
    expect(seen.fence).toBeGreaterThan(5_000);
  });
});
