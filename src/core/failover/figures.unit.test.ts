import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inShort } from './testing/fixture.ts';
import { type Conditions, type Scenario, simulate } from './testing/world.ts';

/** The fault strikes halfway between two looks; times are counted from there, in milliseconds. */
const faultAt = 10_050;

function timesOf(wrong: Conditions, more: Partial<Scenario> = {}, struckAt = faultAt): [number, string][] {
  const { events } = simulate({
    conditions: at => (at < struckAt ? {} : wrong),
    untilMs: struckAt + 20_000,
    ...more,
  });
  return events
    .filter(({ decision }) => decision.kind !== 'withheld')
    .map(({ at, decision }) => [at - struckAt, inShort(decision)]);
}

/**
 * The simulated election takes 450 ms from the revocation to the first write, as measured in reference/failover.md.
 * The figures of issue 4 are in brackets: longest write gap, median.
 */
describe('when each decision falls', () => {
  for (const mode of ['sync', 'strict'] as const) {
    it(`host lost, or cut off, ${mode} (1.3 s)`, () => {
      expect(timesOf({ cut: true }, { setting: { mode } })).toEqual([
        [250, 'hold'],
        [650, 'revoke unseen'],
        [1150, 'resume writable'],
      ]);
    });
  }

  it('postmaster killed, and Patroni hands on when woken (0.6 s)', () => {
    expect(timesOf({ postmaster: 'gone' }, { handsOnAfterMs: 50 })).toEqual([
      [50, 'hold'],
      [50, 'wake'],
      [550, 'resume writable'],
    ]);
  });

  it('postmaster killed, and Patroni does not hand on (worst: 2 s)', () => {
    expect(timesOf({ postmaster: 'gone' })).toEqual([
      [50, 'hold'],
      [50, 'wake'],
      [150, 'revoke process-gone'],
      [650, 'resume writable'],
    ]);
  });

  it('postmaster stopped (5 s)', () => {
    expect(timesOf({ postmaster: 'stopped' })).toEqual([
      [2550, 'hold'],
      [2550, 'fence hung-postmaster'],
      [2650, 'wake'],
      [2650, 'revoke fenced'],
      [3150, 'resume writable'],
    ]);
  });

  it('Patroni stopped (5 s)', () => {
    expect(timesOf({ patroni: 'stopped' })).toEqual([
      [2950, 'hold'],
      [2950, 'fence lease-stale'],
      [3050, 'wake'],
      [3050, 'revoke fenced'],
      [3550, 'resume writable'],
    ]);
  });

  it('hung commit (8 s)', () => {
    expect(timesOf({ commitsHang: true })).toEqual([
      [5550, 'hold'],
      [5550, 'fence hung-commit'],
      [5650, 'wake'],
      [5650, 'revoke fenced'],
      [6150, 'resume writable'],
    ]);
  });

  it('hung commit, and the killed process hangs in the kernel (worst: 15 s)', () => {
    expect(timesOf({ commitsHang: true, unkillable: true })).toEqual([
      [5550, 'hold'],
      [5550, 'fence hung-commit'],
      [7550, 'revoke fenced'],
      [8050, 'resume writable'],
    ]);
  });

  it('Patroni answers but its loop hangs: before the lease of 20 s ends', () => {
    const [hold, fence] = timesOf({ patroni: 'looping' });
    expect([hold, fence]).toEqual([
      [16_950, 'hold'],
      [16_950, 'fence lease-ending'],
    ]);
  });

  it('in async mode nothing is revoked, but the lease still ends behind a fence', () => {
    const setting = { mode: 'async' as const };
    expect(timesOf({ cut: true }, { setting })).toEqual([
      [250, 'hold'],
      [10_250, 'resume limit'],
    ]);
    expect(timesOf({ patroni: 'stopped' }, { setting })[1]).toEqual([16_950, 'fence lease-ending']);
  });

  it('holds nobody for long when only its own session is stuck', () => {
    for (let phase = 0; phase < 500; phase += 20) {
      const events = timesOf({ linkSilent: true }, {}, faultAt + phase);
      expect(events.map(([, what]) => what)).toEqual(events.length === 0 ? [] : ['hold', 'resume writable']);
      const [hold = 0, resume = 0] = events.map(([at]) => at);
      expect(resume - hold).toBeLessThanOrEqual(400);
    }
  });

  it('decides nothing but a hold when the sentinel itself is cut off', () => {
    expect(timesOf({ sentinelCut: true })).toEqual([
      [250, 'hold'],
      [10_250, 'resume limit'],
    ]);
  });

  it('keeps the figures whatever the phase of the fault and the rhythm of the looks', () => {
    const bounds: [Conditions, string, number, number][] = [
      [{ cut: true }, 'revoke unseen', 550, 900],
      [{ postmaster: 'gone' }, 'revoke process-gone', 40, 400],
      [{ postmaster: 'stopped' }, 'revoke fenced', 2_500, 3_500],
      [{ patroni: 'stopped' }, 'revoke fenced', 2_000, 4_500],
      [{ commitsHang: true }, 'revoke fenced', 5_500, 6_500],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...bounds),
        fc.integer({ min: 1_000, max: 2_999 }),
        fc.array(fc.nat({ max: 60 }), { minLength: 3, maxLength: 20 }),
        ([wrong, decision, soonest, latest], struckAt, late) => {
          const conditions = (at: number): Conditions => ({
            ...(at < struckAt ? {} : wrong),
            lateMs: late[Math.floor(at / 100) % late.length] ?? 0,
          });
          const [at] =
            timesOf(wrong, { conditions, untilMs: 11_000 }, struckAt).find(([, what]) => what === decision) ??
            [];
          expect(at).toBeGreaterThanOrEqual(soonest);
          expect(at).toBeLessThanOrEqual(latest);
        },
      ),
      { numRuns: Number(process.env.PGHERD_PROPERTY_RUNS ?? 300) },
    );
  }, 600_000);
});
