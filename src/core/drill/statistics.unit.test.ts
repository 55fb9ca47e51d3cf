import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascending, percentile, summarize } from './statistics.ts';

describe('repeated runs', () => {
  it('say nothing when there are none', () => {
    const nothing = { median: undefined, p95: undefined, min: undefined, max: undefined };
    expect(summarize([])).toEqual({ n: 0, missing: 0, ...nothing });
    expect(summarize([undefined, Number.NaN])).toEqual({ n: 0, missing: 2, ...nothing });
  });

  it('leave out and count what has no value', () => {
    expect(summarize([30, undefined, 4, 10])).toEqual({
      n: 3,
      missing: 1,
      median: 10,
      p95: 30,
      min: 4,
      max: 30,
    });
  });

  it('have the mean of the two middle values as median', () => {
    expect(summarize([4, 1, 3, 2]).median).toBe(2.5);
    expect(summarize([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]).median).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('have the nearest rank as 95th percentile', () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    expect(summarize(upTo(19)).p95).toBe(19);
    expect(summarize(upTo(20)).p95).toBe(19);
    expect(summarize(upTo(100)).p95).toBe(95);
  });
});

describe('a percentile', () => {
  it('is the smallest value that so many do not exceed', () => {
    const values = fc.array(fc.integer(), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const value = percentile(ascending(list), percent);
        const atMost = list.filter(other => other <= (value ?? Number.NaN)).length;
        const below = list.filter(other => other < (value ?? Number.NaN)).length;
        expect(list).toContain(value);
        expect(atMost * 100).toBeGreaterThanOrEqual(percent * list.length);
        expect(below * 100).toBeLessThan(percent * list.length);
      }),
    );
  });
});
