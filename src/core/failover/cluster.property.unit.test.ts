import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyLateness, conditionsOf, disturbances } from './testing/disturbances.ts';
import { inShort, primary } from './testing/fixture.ts';
import { type Conditions, simulate } from './testing/world.ts';

const runs = { numRuns: Number(process.env.PGHERD_PROPERTY_RUNS ?? 300) };

function acts(conditions: (at: number) => Conditions, untilMs: number): string[] {
  return simulate({ conditions, untilMs })
    .events.map(({ decision }) => inShort(decision))
    .filter(what => /^(revoke|fence)/.test(what));
}

describe('the sentinel, looking at a cluster', { timeout: 600_000 }, () => {
  // The pause in between is long enough for a timely look to fall into it.
  const none: [string, { conditions: Conditions; mostMs: number }[], number][] = [
    ['blips of 500 ms', [{ conditions: { cut: true }, mostMs: 500 }], 400],
    ['commit stalls of 2 s', [{ conditions: { commitsHang: true }, mostMs: 2_000 }], 600],
    ['its own session stuck', [{ conditions: { linkSilent: true }, mostMs: 5_000 }], 200],
    ['itself cut off', [{ conditions: { sentinelCut: true }, mostMs: 10_000 }], 500],
    ['a Patroni without processor time', [{ conditions: { patroni: 'stopped' }, mostMs: 1_900 }], 1_500],
    // Looks come up to 8 s late here: one that covers a shorter rest sees no login succeed in it, and counts 0.4 s.
    ['logins that fail for 2 s', [{ conditions: { postmaster: 'stopped' }, mostMs: 2_000 }], 8_600],
  ];
  for (const [what, kinds, restMs] of none) {
    it(`neither revokes nor fences for ${what}, however late it is itself`, () => {
      fc.assert(
        fc.property(disturbances(fc.constantFrom(...kinds), restMs), anyLateness, (list, late) => {
          expect(acts(conditionsOf(list, late), 30_000)).toEqual([]);
        }),
        runs,
      );
    });
  }

  it('neither revokes nor fences for logins that fail for 2 s again and again, while it is on time', () => {
    const stopped = fc.constant({ conditions: { postmaster: 'stopped' as const }, mostMs: 2_000 });
    const hardlyLate = fc.array(fc.nat({ max: 50 }), { minLength: 7, maxLength: 40 });
    fc.assert(
      fc.property(disturbances(stopped, 600), hardlyLate, (list, late) => {
        expect(acts(conditionsOf(list, late), 30_000)).toEqual([]);
      }),
      runs,
    );
  });

  it('decides nothing at all by its own lateness', () => {
    fc.assert(
      fc.property(anyLateness, late => {
        expect(simulate({ conditions: conditionsOf([], late), untilMs: 40_000 }).events).toEqual([]);
      }),
      runs,
    );
  });

  it('revokes for every loss, however late it is now and then', () => {
    const kinds: Conditions[] = [{ cut: true }, { postmaster: 'gone' }, { postmaster: 'stopped' }];
    const now = fc.array(fc.nat({ max: 200 }), { minLength: 20, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...kinds), now, (wrong, late) => {
        const calm = late.map((ms, index) => (index % 10 === 0 ? ms : ms / 4));
        const list = [{ from: 1_000, forMs: 60_000, conditions: wrong }];
        const what = acts(conditionsOf(list, calm), 12_000);
        expect(what.filter(act => act.startsWith('revoke'))).toHaveLength(1);
      }),
      runs,
    );
  });

  it('is done with the old primary once another one leads', () => {
    const { memory } = simulate({ conditions: at => (at < 1_000 ? {} : { cut: true }), untilMs: 30_000 });
    expect(memory.watch?.member).not.toBe(primary);
    expect(memory.hold).toBeUndefined();
  });
});
