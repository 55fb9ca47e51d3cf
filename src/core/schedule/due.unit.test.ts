import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextOccurrence } from './cron.ts';
import { covers, due, type JobMemory, lastCovering, retryDelay } from './due.ts';

const MINUTE = 60_000;
/** How often the living look; a whole number of times in every retry's delay. */
const LOOK = 5 * MINUTE;
const DAY = 24 * 60 * MINUTE;
const nightly = { cron: '0 2 * * *', timeZone: 'UTC' };
const at = (text: string) => new Date(text);
const memory = (facts: Partial<JobMemory> = {}): JobMemory => ({
  since: at('2026-01-01T12:00:00Z'),
  done: undefined,
  started: undefined,
  ended: undefined,
  failures: 0,
  ...facts,
});

describe('a run', () => {
  test('is not due before the first moment after the schedule was made', () => {
    expect(due(nightly, memory(), at('2026-01-01T23:00:00Z'))).toEqual({
      due: false,
      next: at('2026-01-02T02:00:00Z'),
      retry: false,
    });
  });

  test('is due at its moment, and not again once it is done', () => {
    const now = at('2026-01-02T02:00:00Z');
    expect(due(nightly, memory(), now)).toEqual({ due: true, occurrence: now, attempt: 1 });
    const done = memory({ done: at('2026-01-02T02:00:03Z') });
    expect(due(nightly, done, at('2026-01-02T02:10:00Z')).due).toBe(false);
  });

  test('is due when a run of before the moment has ended after it', () => {
    const late = memory({ done: at('2026-01-02T01:59:00Z'), started: at('2026-01-02T01:59:00Z') });
    expect(due(nightly, late, at('2026-01-02T02:30:00Z')).due).toBe(true);
  });

  test('that failed is tried again after a while', () => {
    const failed = memory({
      started: at('2026-01-02T02:00:00Z'),
      ended: at('2026-01-02T02:01:00Z'),
      failures: 1,
    });
    expect(due(nightly, failed, at('2026-01-02T02:05:59Z'))).toEqual({
      due: false,
      next: at('2026-01-02T02:06:00Z'),
      retry: true,
    });
    expect(due(nightly, failed, at('2026-01-02T02:06:00Z'))).toMatchObject({ due: true, attempt: 2 });
  });

  test('that was killed is tried again: it counts from its start', () => {
    const killed = memory({ started: at('2026-01-02T02:00:00Z'), failures: 1 });
    expect(due(nightly, killed, at('2026-01-02T02:04:00Z')).due).toBe(false);
    expect(due(nightly, killed, at('2026-01-02T02:05:00Z')).due).toBe(true);
  });

  test('that failed yesterday does not delay the one of today', () => {
    const failed = memory({
      started: at('2026-01-02T01:59:00Z'),
      ended: at('2026-01-02T01:59:30Z'),
      failures: 9,
    });
    expect(due(nightly, failed, at('2026-01-02T02:00:00Z')).due).toBe(true);
  });

  test('is not held up by memories of the future, when the clock was set back', () => {
    const future = memory({
      since: at('2030-01-01T00:00:00Z'),
      done: at('2030-01-01T00:00:00Z'),
      started: at('2030-01-01T00:00:00Z'),
      failures: 3,
    });
    expect(due(nightly, future, at('2026-01-02T03:00:00Z')).due).toBe(true);
  });

  test('is tried less and less often, but at least once an hour', () => {
    expect([1, 2, 3, 4, 5, 50].map(n => retryDelay(n) / MINUTE)).toEqual([5, 10, 20, 40, 60, 60]);
  });
});

/** Looks every five minutes while the machine is up, and runs what is due: in no time, and now and then in vain. */
function live(
  schedule: typeof nightly,
  start: Date,
  spells: { upMs: number; downMs: number }[],
  fails: () => boolean,
) {
  let facts = memory({ since: start });
  let now = start.getTime();
  const runs: { at: number; occurrence: number; ok: boolean }[] = [];
  const looks: number[] = [];
  for (const { upMs, downMs } of spells) {
    for (const end = now + upMs; now < end; now += LOOK) {
      looks.push(now);
      const answer = due(schedule, facts, new Date(now));
      if (!answer.due) continue;
      const ok = !fails();
      const moment = new Date(now);
      runs.push({ at: now, occurrence: answer.occurrence.getTime(), ok });
      facts = ok
        ? { ...facts, started: moment, ended: moment, done: moment, failures: 0 }
        : { ...facts, started: moment, ended: moment, failures: facts.failures + 1 };
    }
    now += downMs;
  }
  return { runs, looks };
}

function occurrences(schedule: typeof nightly, from: number, to: number): number[] {
  const all: number[] = [];
  for (let at = nextOccurrence(schedule, new Date(from)); at !== undefined && at.getTime() <= to; ) {
    all.push(at.getTime());
    at = nextOccurrence(schedule, at);
  }
  return all;
}

describe('over weeks of machines that go and come', () => {
  const cron = fc.constantFrom('0 2 * * *', '30 2 * * *', '0 1 * * 0', '0 */6 * * *', '15 3 * * 1-5');
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York');
  const start = fc
    .date({ min: at('2026-03-20T00:00:00Z'), max: at('2026-11-10T00:00:00Z'), noInvalidDate: true })
    .map(date => new Date(Math.floor(date.getTime() / LOOK) * LOOK));
  const spell = fc.record({
    upMs: fc.integer({ min: 1, max: 2 * 24 * 12 }).map(n => n * LOOK),
    downMs: fc.integer({ min: 0, max: 3 * 24 * 12 }).map(n => n * LOOK),
  });
  const spells = fc.array(spell, { minLength: 1, maxLength: 4 });

  test('each moment while it is up gets its run, all that were missed get one', () => {
    fc.assert(
      fc.property(cron, zone, start, spells, (line, timeZone, begin, times) => {
        const schedule = { cron: line, timeZone };
        const { runs, looks } = live(schedule, begin, times, () => false);
        const moments = occurrences(schedule, begin.getTime(), looks.at(-1) ?? 0);
        // One run for each group of moments that come between two looks, at the look behind them.
        const wanted = new Map<number, number>();
        for (const moment of moments) {
          const look = looks.find(other => other >= moment);
          if (look !== undefined) wanted.set(look, moment);
        }
        expect(runs.map(run => [run.at, run.occurrence])).toEqual([...wanted]);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('what fails is tried again until it works, and never after that', () => {
    fc.assert(
      fc.property(
        cron,
        zone,
        start,
        fc.array(fc.boolean(), { minLength: 1 }),
        (line, timeZone, begin, outcomes) => {
          const schedule = { cron: line, timeZone };
          let n = 0;
          const fails = () => outcomes[n++ % outcomes.length] === true && n % 7 !== 0;
          const { runs } = live(schedule, begin, [{ upMs: 3 * DAY, downMs: 0 }], fails);
          runs.forEach((run, index) => {
            const before = runs[index - 1];
            if (before === undefined || run.occurrence !== before.occurrence) return;
            expect(before.ok).toBe(false);
            expect(run.at - before.at).toBeGreaterThanOrEqual(5 * MINUTE);
          });
          for (const run of runs.filter(({ ok }) => !ok)) {
            const later = runs.find(other => other.at > run.at);
            if (later !== undefined) expect(later.at - run.at).toBeLessThanOrEqual(60 * MINUTE);
          }
        },
      ),
      { numRuns: 10 },
    );
  }, 60_000);
});

describe('types of backups', () => {
  test('a full one does for all, an incremental one only for itself', () => {
    expect(covers('full', 'incremental')).toBe(true);
    expect(covers('differential', 'full')).toBe(false);
    expect(covers('incremental', 'incremental')).toBe(true);
  });

  test('the newest one that does', () => {
    const backups = [
      { type: 'full' as const, startedAt: '2026-01-04T01:00:00Z' },
      { type: 'differential' as const, startedAt: '2026-01-05T01:00:00Z' },
    ];
    expect(lastCovering(backups, 'full')).toEqual(at('2026-01-04T01:00:00Z'));
    expect(lastCovering(backups, 'differential')).toEqual(at('2026-01-05T01:00:00Z'));
    expect(lastCovering([], 'full')).toBeUndefined();
  });
});
