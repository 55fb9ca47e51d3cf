import { describe, expect, it } from 'vitest';
import { stressPage } from './page.ts';
import { makeOutcome, makeRefused, makeResult, makeRun, TOO_MANY } from './testing/fixture.ts';
import { compare, judge } from './verdict.ts';

describe('verdict', () => {
  it('passes when everybody was served in time', () => {
    expect(judge(makeResult(), false)).toEqual({
      verdict: 'passed',
      sentence:
        'all 300 clients were served: 598 statements a second, half of them within 1.5 ms, 99 % within 12 ms, no error',
      notes: [],
    });
  });

  it('names those who got no connection, and why', () => {
    const { verdict, sentence, notes } = judge(makeRefused(), false);
    expect(verdict).toBe('failed');
    expect(sentence).toBe(
      '264 of 300 clients got no connection (53300 sorry, too many clients already: 264 times)',
    );
    expect(notes).toEqual([expect.stringContaining('no further client could connect')]);
  });

  it('fails for failed statements', () => {
    const lost = { ...TOO_MANY, code: '57P01', message: 'terminating connection', count: 3 };
    expect(judge(makeResult({ errors: [lost], failures: 3 }), false)).toMatchObject({
      verdict: 'failed',
      sentence: expect.stringContaining('3 failures beside 17,940 statements'),
    });
    expect(judge(makeResult({ acknowledged: 0, statements: undefined }), false).verdict).toBe('failed');
  });

  it('is strained by what was slower than wanted, or needed a second attempt', () => {
    const slow = makeResult({ acknowledged: 6_000, perSecond: 200 });
    expect(judge(slow, false)).toMatchObject({
      verdict: 'strained',
      sentence: expect.stringContaining('wanted 600 statements a second and got 200'),
    });
    const again = makeResult({
      ramp: { milliseconds: 1, connected: 300, ended: 'all-connected', errors: [TOO_MANY] },
    });
    expect(judge(again, false).verdict).toBe('strained');
  });

  it('does not miss statements that were under way, nor wish for more than possible', () => {
    const short = makeResult({ milliseconds: 2_000, acknowledged: 940, perSecond: 470 });
    const slow = { ...short, statements: { count: 940, mean: 400, p50: 400, p95: 500, p99: 600, max: 700 } };
    expect(judge(slow, false).verdict).toBe('passed');
    expect(judge(makeResult({ wantedPerSecond: undefined, perSecond: 3 }), false).verdict).toBe('passed');
  });

  it('says when the generator or the machine was the limit', () => {
    const generator = { threads: 2, utilisation: 0.99, cpu: 0.97, delayMs: 80 };
    expect(judge(makeResult({ generator }), false).notes).toEqual([
      expect.stringContaining('the generator was the bottleneck'),
    ]);
    const starved = makeResult({
      generator: { ...generator, cpu: 0.2 },
      machine: { shared: true, busy: 0.99 },
      unanswered: { count: 5, oldestMs: 12_000 },
    });
    expect(judge(starved, false).notes).toEqual([
      expect.stringContaining('had to wait for a processor'),
      expect.stringContaining('servers and generator together'),
      expect.stringContaining('5 statements had no answer yet'),
    ]);
  });

  it('does not ask for connections where each statement has its own', () => {
    const each = makeResult({
      ramp: { milliseconds: 0, connected: 0, ended: 'not-needed', errors: [] },
    });
    expect(judge(each, true).verdict).toBe('passed');
  });

  it('compares: the verdict is that of the pooler', () => {
    const pooled = makeResult();
    expect(compare(makeRefused(), pooled, judge(pooled, false))).toMatchObject({
      verdict: 'passed',
      sentence: expect.stringMatching(
        /^straight to the primary 36 of 300 .*53300 sorry.*; through the pooler 300 of 300 clients/,
      ),
    });
  });
});

describe('page', () => {
  it('shows figures, errors and plots of each run', () => {
    const html = stressPage(
      makeOutcome([makeRun(makeRefused(), { endpoint: 'primary', port: 5432 }), makeRun()]),
    );
    expect(html).toContain('Side by side');
    expect(html).toContain('Through the endpoint primary (127.1.2.1:5432)');
    expect(html).toContain('<td>never</td>');
    expect(html.match(/<svg/g)).toHaveLength(8);
    expect(html).not.toMatch(/NaN|undefined|\[object/);
  });

  it('stands a run that was stopped while clients connected', () => {
    const stopped = makeResult({
      ramp: { milliseconds: 400, connected: 12, ended: 'stopped', errors: [] },
      milliseconds: 0,
      acknowledged: 0,
      statements: undefined,
      reads: undefined,
      connects: undefined,
      points: [],
      cells: { ms: 100, states: [] },
    });
    const html = stressPage(makeOutcome([makeRun(stopped)]));
    expect(html).toContain('stopped while clients connected: 12 of 300 had');
    expect(html).not.toMatch(/NaN|undefined/);
  });
});
