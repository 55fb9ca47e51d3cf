import { decide } from '../decide.ts';
import type { Decision } from '../decision.ts';
import { beginWatch, type Evidence, type Streak, type Watch } from '../evidence.ts';
import { outside, type Setting } from '../sample.ts';
import { defaultThresholds } from '../thresholds.ts';

export const primary = 'demo-0';
export const members = ['demo-0', 'demo-1', 'demo-2'];

/** The moment of the look in all evidence made here. */
export const now = 1_000_000;

export function makeSetting(changes: Partial<Setting> = {}): Setting {
  return { members, mode: 'sync', paused: false, maintenance: false, operation: undefined, ...changes };
}

/** Held for so long up to now, in looks 100 ms apart and attempts 500 ms apart. */
export function makeStreak(heldMs: number): Streak {
  const looks = Math.floor(heldMs / 100) + 1;
  return {
    since: now - heldMs,
    heldMs,
    looks,
    probes: Math.floor(heldMs / 500) + 1,
    lastProbeAt: now,
  };
}

/** All others answered just now; `reached`: whether they reached the primary. */
export function makeVantages(reached: boolean, places = [outside, 'demo-1', 'demo-2']): Watch['vantages'] {
  const record = reached
    ? { answeredAt: now, failures: 0, failedAt: undefined }
    : { answeredAt: now, failures: 3, failedAt: now - 50 };
  return Object.fromEntries(places.map(place => [place, record]));
}

/** A primary that is well. */
export function makeWatch(changes: Partial<Watch> = {}): Watch {
  return {
    ...beginWatch(primary, '7', now - 100_000),
    link: 'answered',
    answeredAt: now,
    takesWrites: true,
    process: { state: 'running', since: now - 100_000, at: now },
    patroniAnsweredAt: now - 100,
    alive: { by: 'its session', at: now },
    seen: { by: 'its session', at: now },
    ...changes,
  };
}

/** A cluster of three that is well, with whatever is changed. */
export function makeEvidence(
  watch: Partial<Watch> = {},
  changes: Partial<Omit<Evidence, 'watch'>> = {},
): Evidence {
  return {
    at: now,
    timely: true,
    setting: makeSetting(),
    key: {
      state: 'held',
      sentAt: now - 20,
      holder: { name: primary, revision: '7', leaseEndsAt: now + 19_500, ttlMs: 20_000 },
    },
    sync: { leader: primary, standbys: [{ name: 'demo-1', streams: true, answers: true }], at: now },
    watch: makeWatch(watch),
    strays: {},
    hold: undefined,
    gaveUp: false,
    fences: {},
    revoked: undefined,
    ...changes,
  };
}

/** The host of the primary was lost 0.7 s ago, and everything speaks for revoking its key. */
export function makeLost(
  watch: Partial<Watch> = {},
  changes: Partial<Omit<Evidence, 'watch'>> = {},
): Evidence {
  const silent = {
    doubtSince: now - 600,
    link: 'silent' as const,
    answeredAt: now - 700,
    quiet: makeStreak(600),
    unseen: makeStreak(600),
    process: { state: 'unknown' as const, since: now - 600, at: now },
    patroniSilent: makeStreak(600),
    patroniAnsweredAt: now - 800,
    alive: { by: 'its session', at: now - 700 },
    seen: { by: 'its session', at: now - 700 },
    vantages: makeVantages(false),
  };
  const hold = { since: now - 400, untilAt: now + 9_600 };
  return makeEvidence({ ...silent, ...watch }, { hold, ...changes });
}

/** A postmaster stopped 3.5 s ago, and everything speaks for fencing it. */
export function makeHung(
  watch: Partial<Watch> = {},
  changes: Partial<Omit<Evidence, 'watch'>> = {},
): Evidence {
  const hung = { doubtSince: now - 3_500, loginsFail: makeStreak(3_500), vantages: makeVantages(true) };
  return makeEvidence({ ...hung, ...watch }, changes);
}

/** A Patroni stopped 4 s ago, and everything speaks for fencing its PostgreSQL. */
export function makeFrozen(
  watch: Partial<Watch> = {},
  changes: Partial<Omit<Evidence, 'watch'>> = {},
): Evidence {
  const holder = { name: primary, revision: '7', leaseEndsAt: now + 16_000, ttlMs: 20_000 };
  const frozen = {
    doubtSince: now - 2_500,
    patroniSilent: makeStreak(3_500),
    patroniAnsweredAt: now - 3_600,
    vantages: makeVantages(true),
  };
  return makeEvidence(
    { ...frozen, ...watch },
    { key: { state: 'held', sentAt: now - 20, holder }, ...changes },
  );
}

/** Which decisions are due, in order: "hold", "fence hung-commit", "withheld revoke: mode, paused". */
export function due(evidence: Evidence, thresholds = defaultThresholds): string[] {
  return decide(evidence, thresholds).map(inShort);
}

export function inShort(decision: Decision): string {
  switch (decision.kind) {
    case 'withheld':
      return `withheld ${decision.of}: ${decision.vetoes.map(({ name }) => name).join(', ')}`;
    case 'fence':
    case 'revoke':
    case 'resume':
      return `${decision.kind} ${decision.why}`;
    default:
      return decision.kind;
  }
}
