import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { begin, type Evidence } from './evidence.ts';
import { look } from './look.ts';
import { observe } from './observe.ts';
import type { Sample } from './sample.ts';
import { anyStretches, samplesOf } from './testing/arbitrary.ts';
import { inShort, makeSetting } from './testing/fixture.ts';
import { defaultThresholds as thresholds } from './thresholds.ts';

const runs = { numRuns: Number(process.env.PGHERD_PROPERTY_RUNS ?? 300) };

interface Step {
  sample: Sample;
  before: Evidence;
  after: Evidence;
  decisions: Decision[];
}

function run(samples: Sample[]): Step[] {
  let memory = begin(0, makeSetting());
  return samples.map(sample => {
    const before = memory;
    const { memory: after, decisions } = look(before, sample);
    memory = after;
    return { sample, before, after, decisions };
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

function forAll(check: (steps: Step[]) => void): void {
  fc.assert(
    fc.property(anyStretches, stretches => check(run(samplesOf(stretches)))),
    runs,
  );
}

describe('the sentinel, looking at anything', { timeout: 600_000 }, () => {
  it('decides by the evidence alone, and changes nothing of it', () => {
    fc.assert(
      fc.property(anyStretches, stretches => {
        let memory = deepFreeze(begin(0, makeSetting()));
        for (const sample of deepFreeze(samplesOf(stretches))) {
          const evidence = deepFreeze(observe(memory, sample));
          expect(observe(memory, sample)).toEqual(evidence);
          expect(decide(structuredClone(evidence))).toEqual(decide(evidence));
          memory = deepFreeze(look(memory, sample).memory);
        }
      }),
      { ...runs, numRuns: Math.ceil(runs.numRuns / 5) },
    );
  });

  it('meets every decision there is', () => {
    const met = new Set<string>();
    forAll(steps => {
      for (const { decisions } of steps) {
        for (const decision of decisions)
          met.add(decision.kind === 'withheld' ? 'withheld' : inShort(decision));
      }
    });
    expect([...met].sort()).toEqual([
      'fence hung-commit',
      'fence hung-postmaster',
      'fence lease-ending',
      'fence lease-stale',
      'fence superseded',
      'hold',
      'nothing',
      'resume limit',
      'resume writable',
      'revoke fenced',
      'revoke process-gone',
      'revoke unseen',
      'wake',
      'withheld',
    ]);
  });

  it('never revokes while a veto holds, and never twice within the cool-down', () => {
    forAll(steps => {
      let last = Number.NEGATIVE_INFINITY;
      for (const { sample, before, after, decisions } of steps) {
        const revoke = decisions.find(({ kind }) => kind === 'revoke');
        if (revoke?.kind !== 'revoke') continue;
        const { setting } = sample;
        expect(['sync', 'strict']).toContain(setting.mode);
        expect([setting.paused, setting.maintenance, setting.operation]).toEqual([false, false, undefined]);
        expect(sample.ownLateMs).toBeLessThanOrEqual(thresholds.timelyMs);
        expect(sample.at - before.at).toBeLessThanOrEqual(thresholds.gapMs);
        expect(after.key.state).toBe('held');
        expect(after.key.holder).toMatchObject({ name: revoke.leader, revision: revoke.revision });
        expect(after.at - (after.key.sentAt ?? 0)).toBeLessThanOrEqual(thresholds.freshMs);
        expect(after.sync?.leader).toBe(revoke.leader);
        expect(after.sync?.standbys.some(({ name, answers }) => answers && name !== revoke.leader)).toBe(
          true,
        );
        if (sample.member === revoke.leader) {
          expect(sample.link?.state).not.toBe('answered');
          if (revoke.why === 'unseen') {
            expect(sample.process).not.toBe('running');
            expect(sample.vantages?.some(({ reached }) => reached)).not.toBe(true);
          }
        }
        expect(after.at - last).toBeGreaterThanOrEqual(thresholds.coolDownMs);
        last = after.at;
      }
    });
  });

  it('never fences a standby, in failsafe mode, where it is late or where its host is silent', () => {
    forAll(steps => {
      for (const { sample, after, decisions } of steps) {
        for (const decision of decisions) {
          if (decision.kind !== 'fence') continue;
          expect(sample.ownLateMs).toBeLessThanOrEqual(thresholds.timelyMs);
          expect([sample.setting.mode, sample.setting.paused]).not.toEqual(['single', expect.anything()]);
          expect(sample.setting.paused).toBe(false);
          if (decision.why === 'superseded') {
            expect(after.key.holder?.name).not.toBe(decision.member);
            continue;
          }
          const { watch } = after;
          expect(watch?.member).toBe(decision.member);
          expect(watch?.takesWrites).not.toBe(false);
          expect(watch?.process?.state).toBe('running');
          const failsafeMs = after.at - (watch?.failsafeAt ?? Number.NEGATIVE_INFINITY);
          expect(failsafeMs).toBeGreaterThan(thresholds.failsafeFreshMs);
        }
      }
    });
  });

  it('follows every hold by a resume within its limit, and holds only once at a time', () => {
    forAll(steps => {
      let since: number | undefined;
      for (const { after, decisions } of steps) {
        for (const { kind } of decisions) {
          if (kind === 'hold') {
            expect(since).toBeUndefined();
            since = after.at;
          }
          if (kind === 'resume') {
            expect(since).toBeDefined();
            since = undefined;
          }
        }
        if (since !== undefined) expect(after.at - since).toBeLessThan(thresholds.holdLimitMs);
      }
    });
  });

  it('says why, in words, of all it does and does not', () => {
    forAll(steps => {
      for (const { decisions } of steps) {
        for (const { reason, evidence } of decisions) {
          expect(reason).toMatch(/^[\w-]+ .*[\w)]$/);
          expect(reason).not.toMatch(/undefined|null|NaN|\[object/);
          expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
        }
      }
    });
  });

  it('keeps to a revocation while the silence goes on, unless a veto is named', () => {
    forAll(steps => {
      const [last] = steps.slice(-1);
      if (last === undefined) return;
      const silence = { link: { state: 'silent' as const }, process: 'unknown' as const };
      let { after } = last;
      let accused = false;
      for (let at = last.after.at + 100; at < last.after.at + 3_000; at += 100) {
        const member = after.watch?.member;
        const sample: Sample = { at, ownLateMs: 0, setting: last.sample.setting, member, ...silence };
        const result = look(after, sample);
        after = result.memory;
        const now = result.decisions.filter(
          decision =>
            decision.kind === 'revoke' || (decision.kind === 'withheld' && decision.of === 'revoke'),
        );
        if (accused) expect(now).toHaveLength(1);
        for (const decision of now) {
          if (decision.kind === 'withheld') expect(decision.vetoes.length).toBeGreaterThan(0);
          accused ||= 'why' in decision && decision.why === 'unseen';
        }
      }
      expect(accused).toBe(after.watch !== undefined);
    });
  });
});
