import { describe, expect, it } from 'vitest';
import type { Evidence } from './evidence.ts';
import { outside } from './sample.ts';
import {
  due,
  makeEvidence,
  makeLost,
  makeSetting,
  makeStreak,
  makeVantages,
  now,
  primary,
} from './testing/fixture.ts';
import type { revokeVetoes } from './vetoes.ts';

const standby = (changes: object) => ({ name: 'demo-1', streams: true, answers: true, ...changes });
const holder = { name: primary, revision: '7', leaseEndsAt: now + 18_000, ttlMs: 20_000 };
const stranger = { ...holder, name: 'demo-2' };

/** Each alone speaks against a revocation that is due otherwise. */
const neverRevoke: Record<keyof typeof revokeVetoes, Evidence[]> = {
  mode: [
    makeLost({}, { setting: makeSetting({ mode: 'async' }) }),
    makeLost({}, { setting: makeSetting({ mode: 'single' }) }),
  ],
  paused: [makeLost({}, { setting: makeSetting({ paused: true }) })],
  maintenance: [makeLost({}, { setting: makeSetting({ maintenance: true }) })],
  operation: [makeLost({}, { setting: makeSetting({ operation: 'switchover' }) })],
  late: [makeLost({}, { timely: false })],
  'one-probe': [makeLost({ unseen: { ...makeStreak(600), looks: 3 } })],
  unreadable: [
    makeLost({}, { key: { state: 'unreadable', sentAt: now - 20, holder } }),
    makeLost({}, { key: { state: 'held', sentAt: now - 1_100, holder } }),
    makeLost({}, { key: { state: 'held', sentAt: now - 610, holder } }),
    makeLost({}, { key: { state: 'held', sentAt: undefined, holder } }),
  ],
  'key-moved': [
    makeLost({}, { key: { state: 'none', sentAt: now, holder } }),
    makeLost({}, { key: { state: 'held', sentAt: now, holder: stranger } }),
    makeLost({}, { key: { state: 'held', sentAt: now, holder: { ...holder, revision: '8' } } }),
  ],
  isolated: [
    makeLost({
      vantages: { ...makeVantages(false), 'demo-2': { ...gaveNoAnswer(), failures: 3, failedAt: now } },
    }),
    makeLost({
      vantages: { ...makeVantages(false), 'demo-2': { answeredAt: now - 501, failures: 3, failedAt: now } },
    }),
  ],
  unconfirmed: [
    makeLost({ vantages: { ...makeVantages(false), [outside]: gaveNoAnswer() } }),
    makeLost({
      vantages: { ...makeVantages(false), [outside]: { answeredAt: now, failures: 1, failedAt: now } },
    }),
    makeLost({
      vantages: { ...makeVantages(false), [outside]: { answeredAt: now, failures: 3, failedAt: now - 501 } },
    }),
    makeLost({
      vantages: { ...makeVantages(true), [outside]: { answeredAt: now, failures: 3, failedAt: now } },
    }),
  ],
  'seen-alive': [
    makeLost({ seen: { by: 'demo-1', at: now - 600 } }),
    makeLost({ seen: { by: 'its own host', at: now } }),
  ],
  'no-standby': [
    makeLost({}, { sync: undefined }),
    makeLost({}, { sync: { leader: primary, standbys: [], at: now } }),
    makeLost({}, { sync: { leader: primary, standbys: [standby({ answers: false })], at: now } }),
    makeLost({}, { sync: { leader: primary, standbys: [standby({ name: primary })], at: now } }),
    makeLost({}, { sync: { leader: 'demo-1', standbys: [standby({})], at: now } }),
    makeLost({}, { sync: { leader: undefined, standbys: [standby({})], at: now } }),
    makeLost({}, { sync: { leader: primary, standbys: [standby({})], at: now - 1_001 } }),
  ],
  'cool-down': [
    makeLost({}, { revoked: { member: 'demo-2', revision: '6', at: now - 29_999 } }),
    makeLost({}, { fences: { 'demo-2': { at: now - 29_999, sent: true } } }),
    makeLost({}, { revoked: { member: primary, revision: '7', at: now - 100 } }),
  ],
};

function gaveNoAnswer() {
  return { answeredAt: undefined, failures: 0, failedAt: undefined };
}

describe('the sentinel never revokes', () => {
  it('and does, in sync and strict, when nothing speaks against it', () => {
    expect(due(makeLost())).toEqual(['revoke unseen']);
    expect(due(makeLost({}, { setting: makeSetting({ mode: 'strict' }) }))).toEqual(['revoke unseen']);
    expect(due(makeLost({}, { revoked: { member: 'demo-2', revision: '6', at: now - 30_000 } }))).toEqual([
      'revoke unseen',
    ]);
  });

  for (const [name, cases] of Object.entries(neverRevoke)) {
    it(`against ${name}`, () => {
      for (const evidence of cases) expect(due(evidence)).toEqual([`withheld revoke: ${name}`]);
    });
  }

  it('a primary that answers, whatever else is wrong', () => {
    expect(due(makeLost({ unseen: undefined, quiet: undefined, link: 'answered', answeredAt: now }))).toEqual(
      ['resume writable'],
    );
  });

  it('for a process said to be gone that has answered since, or is back', () => {
    const gone = {
      link: 'closed' as const,
      quiet: makeStreak(700),
      gone: makeStreak(700),
      woken: true,
      process: { state: 'gone' as const, since: now - 700, at: now },
      doubtSince: now - 700,
      vantages: makeVantages(true),
      alive: { by: 'its session', at: now - 800 },
    };
    const hold = { since: now - 700, untilAt: now + 9_300 };
    expect(due(makeEvidence(gone, { hold }))).toEqual(['revoke process-gone']);
    expect(due(makeEvidence({ ...gone, alive: { by: 'a login', at: now - 100 } }, { hold }))).toEqual([
      'resume writable',
      'withheld revoke: seen-alive',
    ]);
    const running = { state: 'running' as const, since: now - 100, at: now };
    expect(due(makeEvidence({ ...gone, process: running }, { hold }))).toEqual(['nothing']);
    const old = { state: 'gone' as const, since: now - 700, at: now - 700 };
    expect(
      due(makeEvidence({ ...gone, gone: { ...gone.gone, lastProbeAt: now - 501 }, process: old }, { hold })),
    ).toEqual(['nothing']);
  });

  it('a fenced member whose PostgreSQL still works', () => {
    const fences = { [primary]: { at: now - 2_000, sent: true } };
    const stuck = {
      alive: { by: 'a login', at: now - 2_100 },
      doubtSince: now - 3_000,
      vantages: makeVantages(true),
    };
    const silent = { link: 'silent' as const, quiet: makeStreak(1_900), ...stuck };
    const hold = { since: now - 2_000, untilAt: now + 8_000 };
    expect(due(makeEvidence(silent, { fences, hold }))).toEqual(['revoke fenced']);
    const works = { ...silent, alive: { by: 'a login', at: now - 1_000 } };
    expect(due(makeEvidence(works, { fences, hold }))).toEqual([
      'resume writable',
      'withheld revoke: seen-alive',
    ]);
    const gone = { ...stuck, process: { state: 'gone' as const, since: now, at: now }, gone: makeStreak(0) };
    const closed = { ...gone, link: 'closed' as const, quiet: makeStreak(0), woken: true };
    expect(due(makeEvidence(closed, { fences, hold }))).toEqual(['revoke fenced']);
    expect(due(makeEvidence({ ...closed, alive: { by: 'its session', at: now } }, { fences, hold }))).toEqual(
      ['withheld revoke: seen-alive'],
    );
    const unsent = { [primary]: { at: now - 2_000, sent: false } };
    expect(due(makeEvidence(silent, { fences: unsent, hold }))).toEqual(['nothing']);
    expect(due(makeEvidence(closed, { fences: unsent, hold }))).toEqual(['nothing']);
    const newReign = { ...silent, since: now - 1_999 };
    expect(due(makeEvidence(newReign, { fences, hold }))).toEqual(['nothing']);
    const restarted = { ...silent, process: { state: 'running' as const, since: now - 1_000, at: now } };
    expect(due(makeEvidence(restarted, { fences, hold }))).toEqual(['nothing']);
    const goneBefore = { ...closed, process: { state: 'gone' as const, since: now - 2_100, at: now } };
    expect(due(makeEvidence(goneBefore, { fences, hold }))).toEqual(['nothing']);
  });
});
