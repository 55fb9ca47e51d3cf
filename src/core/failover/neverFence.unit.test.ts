import { describe, expect, it } from 'vitest';
import type { Evidence } from './evidence.ts';
import type { fenceVetoes } from './fenceVetoes.ts';
import {
  due,
  makeEvidence,
  makeFrozen,
  makeHung,
  makeSetting,
  makeStreak,
  makeVantages,
  makeWatch,
  now,
  primary,
} from './testing/fixture.ts';
import { thresholdsFor } from './thresholds.ts';

/** Each alone speaks against a fence that is due otherwise. Those left out have tests of their own. */
type Cases = Record<
  Exclude<keyof (typeof fenceVetoes)['hung-commit'], 'one-probe' | 'unreadable' | 'key-moved'>,
  Evidence[]
>;

const holder = { name: primary, revision: '7', leaseEndsAt: now + 18_000, ttlMs: 20_000 };
const stranger = { ...holder, name: 'demo-2' };

/** Against each fence for the sake of availability; made from one that is due. */
function neverReplace(make: typeof makeHung): Cases {
  return {
    mode: [
      make({}, { setting: makeSetting({ mode: 'async' }) }),
      make({}, { setting: makeSetting({ mode: 'single' }) }),
    ],
    paused: [make({}, { setting: makeSetting({ paused: true }) })],
    maintenance: [make({}, { setting: makeSetting({ maintenance: true }) })],
    operation: [make({}, { setting: makeSetting({ operation: 'restart' }) })],
    late: [make({}, { timely: false })],
    'host-silent': [make({ process: { state: 'running', since: now - 9_000, at: now - 501 } })],
    standby: [make({ takesWrites: false })],
    failsafe: [make({ failsafeAt: now - 2_500 })],
    isolated: [make({ vantages: makeVantages(true, ['demo-1']) })],
    'no-standby': [make({}, { sync: { leader: primary, standbys: [], at: now } })],
    'cool-down': [make({}, { fences: { [primary]: { at: now - 29_999, sent: false } } })],
  };
}

const replacing: Record<'hung-postmaster' | 'hung-commit' | 'lease-stale', typeof makeHung> = {
  'hung-postmaster': makeHung,
  'hung-commit': (watch, changes) =>
    makeHung(
      { loginsFail: undefined, commit: { since: now - 6_100, stalled: makeStreak(6_000) }, ...watch },
      changes,
    ),
  'lease-stale': makeFrozen,
};

describe('the sentinel never fences', () => {
  for (const [cause, make] of Object.entries(replacing)) {
    it(`for ${cause}, and does when nothing speaks against it`, () => {
      expect(due(make())).toEqual(['hold', `fence ${cause}`]);
    });

    for (const [name, cases] of Object.entries(neverReplace(make))) {
      it(`for ${cause} against ${name}`, () => {
        for (const evidence of cases) expect(due(evidence)).toEqual([`withheld fence: ${name}`]);
      });
    }
  }

  it('for a lease that is as old as the rounds of its Patroni are long', () => {
    expect(due(makeFrozen(), thresholdsFor(1))).toEqual(['hold', 'fence lease-stale']);
    expect(due(makeFrozen(), thresholdsFor(10))).toEqual(['nothing']);
    const holder = { name: primary, revision: '7', leaseEndsAt: now + 8_900, ttlMs: 20_000 };
    const late = makeFrozen({}, { key: { state: 'held', sentAt: now - 20, holder } });
    expect(due(late, thresholdsFor(10))).toEqual(['hold', 'fence lease-stale']);
  });

  it('for a hung postmaster or commit whose key cannot be read, or moved', () => {
    for (const make of [replacing['hung-postmaster'], replacing['hung-commit']]) {
      expect(due(make({}, { key: { state: 'unreadable', sentAt: now, holder } }))).toEqual([
        'withheld fence: unreadable',
      ]);
      expect(due(make({}, { key: { state: 'held', sentAt: now, holder: stranger } }))).toEqual([
        'withheld fence: key-moved',
      ]);
    }
  });

  it('for a single failed login or a single silent answer of Patroni', () => {
    expect(due(makeHung({ loginsFail: { ...makeStreak(3_500), probes: 1 } }))).toEqual([
      'withheld fence: one-probe',
    ]);
    expect(due(makeFrozen({ patroniSilent: { ...makeStreak(3_500), probes: 1 } }))).toEqual([
      'withheld fence: one-probe',
    ]);
  });

  it('for a process that its host says is gone, or cannot tell of', () => {
    for (const state of ['gone', 'unknown'] as const) {
      for (const make of Object.values(replacing)) {
        expect(due(make({ process: { state, since: now - 100, at: now } }))).toEqual(['nothing']);
      }
    }
  });
});

describe('the fence before the end of the lease', () => {
  const ending = (watch = {}, changes: Partial<Omit<Evidence, 'watch'>> = {}, leftMs = 3_000): Evidence =>
    makeEvidence(watch, {
      key: { state: 'held', sentAt: now - 20, holder: { ...holder, leaseEndsAt: now + leftMs } },
      ...changes,
    });

  it('comes whoever is at work, in async mode, within the cool-down and without a standby', () => {
    expect(due(ending())).toEqual(['hold', 'fence lease-ending']);
    expect(due(ending({}, {}, 3_001))).toEqual(['nothing']);
    expect(due(ending({}, {}, -5_000))).toEqual(['hold', 'fence lease-ending']);
    const setting = makeSetting({ mode: 'async', operation: 'restart', maintenance: true });
    const revoked = { member: 'demo-2', revision: '6', at: now - 100 };
    expect(due(ending({}, { setting, revoked, sync: undefined }))).toEqual(['fence lease-ending']);
  });

  const vetoes: Record<Exclude<keyof (typeof fenceVetoes)['lease-ending'], 'blind'>, Evidence> = {
    single: ending({}, { setting: makeSetting({ mode: 'single' }) }),
    paused: ending({}, { setting: makeSetting({ paused: true }) }),
    late: ending({}, { timely: false }),
    'host-silent': ending({ process: { state: 'running', since: now - 9_000, at: now - 501 } }),
    standby: ending({ takesWrites: false }),
    failsafe: ending({ failsafeAt: now - 2_000 }),
    repeated: ending({}, { fences: { [primary]: { at: now - 1_999, sent: undefined } } }),
  };
  for (const [name, evidence] of Object.entries(vetoes)) {
    it(`never against ${name}`, () => {
      expect(due(evidence)).toEqual([`withheld fence: ${name}`]);
    });
  }

  it('without a readable key only beside a silent Patroni, and never by an isolated sentinel', () => {
    const key = {
      state: 'unreadable' as const,
      sentAt: now - 9_000,
      holder: { ...holder, leaseEndsAt: now + 2_000 },
    };
    const silent = { patroniSilent: makeStreak(2_500), vantages: makeVantages(true) };
    expect(due(ending({}, { key }))).toEqual(['nothing']);
    expect(due(ending(silent, { key }))).toEqual(['hold', 'fence lease-ending']);
    expect(due(ending({ ...silent, vantages: {} }, { key }))).toEqual(['withheld fence: blind']);
  });

  it('comes after the end too, when nobody holds the key and Patroni is silent', () => {
    const key = { state: 'none' as const, sentAt: now - 20, holder };
    expect(due(makeEvidence({}, { key }))).toEqual(['nothing']);
    expect(due(makeEvidence({ patroniSilent: makeStreak(2_500) }, { key }))).toEqual([
      'hold',
      'fence lease-ending',
    ]);
  });
});

describe('a member that takes writes although another one leads', () => {
  const stray = (changes: Partial<Omit<Evidence, 'watch'>> = {}): Evidence =>
    makeEvidence({}, { strays: { 'demo-2': makeStreak(1_000) }, ...changes });

  it('is fenced, in async mode as well', () => {
    expect(due(stray())).toEqual(['fence superseded']);
    expect(due(stray({ setting: makeSetting({ mode: 'async', operation: 'switchover' }) }))).toEqual([
      'fence superseded',
    ]);
    expect(due(stray({ strays: { 'demo-2': makeStreak(900) } }))).toEqual(['nothing']);
    expect(due(stray({ strays: { 'demo-2': { ...makeStreak(1_000), lastProbeAt: now - 501 } } }))).toEqual([
      'nothing',
    ]);
  });

  const vetoes: Record<keyof typeof fenceVetoes.superseded, Evidence> = {
    single: stray({ setting: makeSetting({ mode: 'single' }) }),
    paused: stray({ setting: makeSetting({ paused: true }) }),
    late: stray({ timely: false }),
    'one-probe': stray({ strays: { 'demo-2': { ...makeStreak(1_000), looks: 3 } } }),
    unreadable: stray({ key: { state: 'held', sentAt: now - 1_001, holder } }),
    'is-leader': stray({
      key: { state: 'held', sentAt: now, holder: stranger },
      watch: makeWatch({ member: 'demo-2' }),
    } as Partial<Omit<Evidence, 'watch'>>),
    repeated: stray({ fences: { 'demo-2': { at: now - 100, sent: true } } }),
  };
  for (const [name, evidence] of Object.entries(vetoes)) {
    it(`never against ${name}`, () => {
      expect(due(evidence)).toEqual([`withheld fence: ${name}`]);
    });
  }
});
