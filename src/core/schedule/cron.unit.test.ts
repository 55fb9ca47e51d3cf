import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastOccurrence, nextOccurrence, scheduleProblem } from './cron.ts';

const berlin = (cron: string) => ({ cron, timeZone: 'Europe/Berlin' });
const at = (text: string) => new Date(text);

describe('moments of a schedule', () => {
  test('are those of the time zone, in summer and in winter', () => {
    expect(nextOccurrence(berlin('0 2 * * *'), at('2026-07-01T12:00:00Z'))).toEqual(
      at('2026-07-02T00:00:00Z'),
    );
    expect(nextOccurrence(berlin('0 2 * * *'), at('2026-12-01T12:00:00Z'))).toEqual(
      at('2026-12-02T01:00:00Z'),
    );
  });

  test('the last one may be now', () => {
    const now = at('2026-07-01T00:00:00Z');
    expect(lastOccurrence(berlin('0 2 * * *'), now)).toEqual(now);
    expect(nextOccurrence(berlin('0 2 * * *'), now)).toEqual(at('2026-07-02T00:00:00Z'));
  });

  test('one that the clock skips in spring comes at the end of the gap', () => {
    // At 2:00 the clock goes to 3:00, which is 01:00 UTC.
    expect(lastOccurrence(berlin('30 2 * * *'), at('2026-03-29T12:00:00Z'))).toEqual(
      at('2026-03-29T01:00:00Z'),
    );
  });

  test('one that the clock has twice in autumn comes once', () => {
    const evening = at('2026-10-25T20:00:00Z');
    expect(lastOccurrence(berlin('30 2 * * *'), evening)).toEqual(at('2026-10-25T00:30:00Z'));
    expect(nextOccurrence(berlin('30 2 * * *'), at('2026-10-25T00:30:00Z'))).toEqual(
      at('2026-10-26T01:30:00Z'),
    );
  });
});

describe('what is wrong with a schedule', () => {
  test.each([
    ['0 2 * * *', undefined],
    ['*/15 8-18 * * 1-5', undefined],
    ['0 2 29 2 *', undefined],
    ['0 2 31 2 *', 'names a day that never comes'],
    ['0 2 * *', 'is no cron line'],
    ['0 0 2 * * *', 'is no cron line'],
    ['@daily', 'is no cron line'],
    ['0 25 * * *', 'is no cron line'],
    ['', 'is no cron line'],
  ])('%j: %s', (cron, message) => {
    expect(scheduleProblem({ cron, timeZone: undefined })?.message).toBe(message);
  });

  test('time zones are names, which know summer time', () => {
    expect(scheduleProblem({ cron: '0 2 * * *', timeZone: 'Europe/Berlin' })).toBeUndefined();
    expect(scheduleProblem({ cron: '0 2 * * *', timeZone: 'Europe/Berln' })?.field).toBe('timeZone');
    expect(scheduleProblem({ cron: '0 2 * * *', timeZone: '+02:00' })?.field).toBe('timeZone');
  });
});

test('the last moment is followed by the next with nothing in between', () => {
  const minute = fc.constantFrom('0', '30', '*/7', '5,50');
  const hour = fc.constantFrom('*', '0', '2', '3', '*/5', '22-23');
  const weekday = fc.constantFrom('*', '0', '1-6', '3');
  const zone = fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'UTC',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
  );
  const moment = fc.date({
    min: at('2025-01-01T00:00:00Z'),
    max: at('2027-01-01T00:00:00Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(minute, hour, weekday, zone, moment, (m, h, w, timeZone, now) => {
      const schedule = { cron: `${m} ${h} * * ${w}`, timeZone };
      const last = lastOccurrence(schedule, now);
      const next = nextOccurrence(schedule, now);
      if (last === undefined || next === undefined) throw new Error('a weekly schedule always comes');
      expect(last.getTime()).toBeLessThanOrEqual(now.getTime());
      expect(next.getTime()).toBeGreaterThan(now.getTime());
      expect(nextOccurrence(schedule, last)).toEqual(next);
    }),
  );
});
