import fc from 'fast-check';
import type { Conditions } from './world.ts';

export interface Disturbance {
  from: number;
  forMs: number;
  conditions: Conditions;
}

/** One after the other, each at most so long, with a pause of at least `restMs` in between. */
export function disturbances(
  kinds: fc.Arbitrary<{ conditions: Conditions; mostMs: number }>,
  restMs: number,
): fc.Arbitrary<Disturbance[]> {
  const one = kinds.chain(({ conditions, mostMs }) =>
    fc.record({
      conditions: fc.constant(conditions),
      forMs: fc.integer({ min: 1, max: mostMs }),
      rest: fc.integer({ min: restMs, max: restMs + 2_000 }),
    }),
  );
  return fc.array(one, { minLength: 1, maxLength: 6 }).map(list => {
    let at = 1_000;
    return list.map(({ conditions, forMs, rest }) => {
      const from = at;
      at += forMs + rest;
      return { from, forMs, conditions };
    });
  });
}

/** How late looks are: mostly not at all, sometimes by a little, now and then by seconds. */
export const anyLateness = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat({ max: 200 }) },
    { weight: 1, arbitrary: fc.nat({ max: 8_000 }) },
  ),
  { minLength: 7, maxLength: 40 },
);

export function conditionsOf(list: Disturbance[], late: number[]): (at: number) => Conditions {
  return at => {
    const now = list.find(({ from, forMs }) => at >= from && at <= from + forMs);
    return { ...now?.conditions, lateMs: late[Math.floor(at / 100) % late.length] ?? 0 };
  };
}
