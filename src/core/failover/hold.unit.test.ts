import { describe, expect, it } from 'vitest';
import type { Evidence, Watch } from './evidence.ts';
import { outside } from './sample.ts';
import { due, makeEvidence, makeSetting, makeStreak, makeVantages, now, primary } from './testing/fixture.ts';

/** Silent for so long, in looks 100 ms apart after the last answer. */
function quiet(
  ms: number,
  watch: Partial<Watch> = {},
  changes: Partial<Omit<Evidence, 'watch'>> = {},
): Evidence {
  const silence = { link: 'silent' as const, answeredAt: now - ms, quiet: makeStreak(ms - 100) };
  return makeEvidence({ ...silence, alive: { by: 'its session', at: now - ms }, ...watch }, changes);
}

const hold = { since: now - 1_000, untilAt: now + 9_000 };

describe('a hold', () => {
  it('begins at 0.25 s without an answer, in two looks at least', () => {
    expect(due(quiet(249))).toEqual(['nothing']);
    expect(due(quiet(250))).toEqual(['hold']);
    expect(due(quiet(250, { quiet: makeStreak(0) }))).toEqual(['nothing']);
    expect(due(quiet(250, { answeredAt: undefined }))).toEqual(['nothing']);
  });

  it('begins at once when the process has ended, and Patroni is woken once', () => {
    const gone = { state: 'gone' as const, since: now, at: now };
    const ended = { link: 'closed' as const, quiet: makeStreak(0), process: gone, gone: makeStreak(0) };
    expect(due(makeEvidence(ended))).toEqual(['hold', 'wake']);
    expect(due(makeEvidence({ ...ended, woken: true }, { hold }))).toEqual(['nothing']);
    const unknown = { ...ended, process: undefined, gone: undefined };
    expect(due(makeEvidence(unknown))).toEqual(['hold', 'wake']);
  });

  it('begins at once while the process is being taken down, and Patroni is woken when it is gone, not before', () => {
    const ending = { state: 'ending' as const, since: now, at: now };
    const closed = { link: 'closed' as const, quiet: makeStreak(0), process: ending };
    expect(due(makeEvidence(closed))).toEqual(['hold']);
    expect(due(makeEvidence(closed, { hold }))).toEqual(['nothing']);
    const gone = { ...closed, process: { ...ending, state: 'gone' as const }, gone: makeStreak(0) };
    expect(due(makeEvidence(gone, { hold }))).toEqual(['wake']);
  });

  it('does not begin for a session that was merely closed, nor where only that is stuck', () => {
    expect(due(makeEvidence({ link: 'closed', quiet: makeStreak(0) }))).toEqual(['nothing']);
    const works = { alive: { by: 'a login', at: now - 100 }, vantages: makeVantages(true) };
    expect(due(quiet(400, works))).toEqual(['nothing']);
    expect(due(quiet(400, works, { hold }))).toEqual(['resume writable']);
    const unreached = { ...works, vantages: makeVantages(true, ['demo-1']) };
    expect(due(quiet(400, unreached))).toEqual(['hold']);
    const failing = { answeredAt: now, failures: 1, failedAt: now };
    expect(due(quiet(400, { ...works, vantages: { [outside]: failing } }))).toEqual(['hold']);
  });

  it('keeps its hands off, and begins neither late nor after it gave up', () => {
    for (const changes of [{ paused: true }, { maintenance: true }, { operation: 'switchover' }]) {
      expect(due(quiet(400, {}, { setting: makeSetting(changes) }))).toEqual(['nothing']);
    }
    expect(due(quiet(400, {}, { timely: false }))).toEqual(['nothing']);
    expect(due(quiet(400, {}, { gaveUp: true }))).toEqual(['nothing']);
  });

  it('ends with a primary that takes writes, and holds the key', () => {
    expect(due(makeEvidence({}, { hold }))).toEqual(['resume writable']);
    expect(due(makeEvidence({ takesWrites: false }, { hold }))).toEqual(['nothing']);
    expect(due(makeEvidence({ answeredAt: now - 100 }, { hold }))).toEqual(['nothing']);
    const none = { state: 'none' as const, sentAt: now, holder: undefined };
    expect(due(makeEvidence({}, { hold, key: none }))).toEqual(['nothing']);
  });

  it('does not end by the answer of a member whose kill is still to show', () => {
    const fenced = (at: number, sent?: boolean) => ({ hold, fences: { [primary]: { at, sent } } });
    expect(due(makeEvidence({}, fenced(now - 1_999)))).toEqual(['nothing']);
    expect(due(makeEvidence({}, fenced(now - 1_999, false)))).toEqual(['resume writable']);
    expect(due(makeEvidence({}, fenced(now - 2_000)))).toEqual(['resume writable']);
    expect(due(makeEvidence({ since: now - 100 }, fenced(now - 1_000)))).toEqual(['resume writable']);
  });

  it('ends at its limit, whatever else', () => {
    const over = { hold: { since: now - 10_000, untilAt: now } };
    const setting = makeSetting({ operation: 'switchover' });
    expect(due(quiet(10_000, {}, { ...over, setting, timely: false }))).toEqual(['resume limit']);
  });
});
