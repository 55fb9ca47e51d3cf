import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earlierBy, expired, parseSpan } from './span.ts';

const at = (text: string) => new Date(text);

describe('a span of time', () => {
  test.each([
    ['3 days', '2026-03-28T02:00:00Z'],
    ['1 day', '2026-03-30T02:00:00Z'],
    ['2 weeks', '2026-03-17T02:00:00Z'],
    ['1 month', '2026-02-28T02:00:00Z'],
    ['13 months', '2025-02-28T02:00:00Z'],
    ['2 years', '2024-03-31T02:00:00Z'],
  ])('%s before the last of March', (text, then) => {
    const span = parseSpan(text);
    if (span === undefined) throw new Error('no span');
    expect(earlierBy(at('2026-03-31T02:00:00Z'), span)).toEqual(at(then));
  });

  test('a year before the 29th of February is the 28th', () => {
    expect(earlierBy(at('2028-02-29T02:00:00Z'), { amount: 1, unit: 'year' })).toEqual(
      at('2027-02-28T02:00:00Z'),
    );
  });

  test.each(['', '3', '0 days', '3 hours', 'days', '-1 days', '1.5 days', '3  days', '3 days '])(
    '%j is none',
    text => expect(parseSpan(text)).toBeUndefined(),
  );
});

describe('what may go', () => {
  const span = fc.record({
    amount: fc.integer({ min: 1, max: 30 }),
    unit: fc.constantFrom('day', 'week', 'month', 'year'),
  });
  const date = fc.date({
    min: at('2020-01-01T00:00:00Z'),
    max: at('2027-01-01T00:00:00Z'),
    noInvalidDate: true,
  });
  const items = fc.array(
    date.map(moment => ({ at: moment })),
    { maxLength: 20 },
  );

  test('is older than the span, never the newest; what stays is younger or the newest', () => {
    fc.assert(
      fc.property(items, span, date, (all, keep, now) => {
        const gone = expired(all, keep, now);
        const stays = all.filter(item => !gone.includes(item));
        const newest = Math.max(...all.map(item => item.at.getTime()));
        const limit = earlierBy(now, keep);
        for (const item of gone) expect(item.at.getTime()).toBeLessThan(limit.getTime());
        for (const item of stays.filter(item => item.at < limit)) expect(item.at.getTime()).toBe(newest);
        if (all.length > 0) expect(stays.length).toBeGreaterThan(0);
      }),
    );
  });

  test('is nothing without a span', () => {
    expect(
      expired(
        [{ at: at('2001-01-01T00:00:00Z') }, { at: at('2002-01-01T00:00:00Z') }],
        undefined,
        new Date(),
      ),
    ).toEqual([]);
  });
});
