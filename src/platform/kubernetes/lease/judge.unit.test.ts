import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actsUntil, LEASE_TIMING, type LeaseRecord, type LeaseSighting, mayTake, sight } from './judge.ts';

const held = (renewTime: string): LeaseRecord => ({ holder: 'other', renewTime, durationMs: 15_000 });

test('a lease is free for all when nobody holds it, and always for its holder', () => {
  expect(mayTake({ record: undefined, at: 0 }, 'me', 0)).toBe(true);
  expect(mayTake({ record: { ...held('1'), holder: '' }, at: 0 }, 'me', 0)).toBe(true);
  expect(mayTake({ record: { ...held('1'), holder: 'me' }, at: 0 }, 'me', 0)).toBe(true);
  expect(mayTake({ record: held('1'), at: 0 }, 'me', 0)).toBe(false);
});

test('silence counts from the first look at a record, whatever the clocks of others say', () => {
  let seen: LeaseSighting = sight(undefined, held('1970-01-01'), 100_000);
  seen = sight(seen, held('1970-01-01'), 110_000);
  expect(mayTake(seen, 'me', 115_000)).toBe(false);
  expect(mayTake(seen, 'me', 115_001)).toBe(true);
  seen = sight(seen, held('1970-01-02'), 115_001);
  expect(mayTake(seen, 'me', 115_002)).toBe(false);
});

test('two replicas never act at the same time, however slow requests are and whoever dies', () => {
  // One renewal: how long the request took, and how long the holder waited before it.
  const renewal = fc.record({ pause: fc.nat(20_000), took: fc.nat(20_000), looks: fc.nat(3000) });
  fc.assert(
    fc.property(fc.array(renewal, { maxLength: 20 }), renewals => {
      let now = 0;
      let seen: LeaseSighting | undefined;
      let until = 0;
      let stamp = 0;
      for (const { pause, took, looks } of renewals) {
        now += pause;
        // It acts only while its time lasts; then it stops by itself, and a rival may try.
        const began = now;
        now += took;
        stamp += 1;
        // The write takes effect at some moment within the request; a rival sees it at that moment at the earliest.
        const effective = began + Math.floor(took / 2);
        seen = sight(seen, held(String(stamp)), effective + looks);
        until = actsUntil(began, LEASE_TIMING);
        // The earliest moment at which a rival who looked then may take it:
        const rival = effective + looks + 15_000;
        expect(mayTake(seen, 'me', rival)).toBe(false);
        expect(until).toBeLessThan(rival);
      }
    }),
  );
});
