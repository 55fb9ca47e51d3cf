import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  answersOf,
  availabilityStrip,
  durations,
  errorsBeyondInFlight,
  errorsByCode,
  latency,
  longestGap,
  outages,
  throughput,
} from './availability.ts';

function makeAnswer(endedAt: number, changes: Partial<Answer> = {}): Answer {
  return {
    path: 'pooler',
    sentAt: endedAt - 1,
    endedAt,
    outcome: 'acknowledged',
    code: undefined,
    ...changes,
  };
}

const window = { from: 100, to: 200 };

describe('the longest gap', () => {
  it('is the whole window when nothing happened', () => {
    expect(longestGap([], window)).toEqual({ from: 100, to: 200, ms: 100 });
    expect(longestGap([20, 99, 201], window).ms).toBe(100);
  });

  it('counts from the beginning and to the end', () => {
    expect(longestGap([160, 190], window)).toEqual({ from: 100, to: 160, ms: 60 });
    expect(longestGap([110, 130], window)).toEqual({ from: 130, to: 200, ms: 70 });
  });

  it('lies between two successive moments, in whatever order they are told', () => {
    expect(longestGap([190, 110, 130, 175], window)).toEqual({ from: 130, to: 175, ms: 45 });
  });

  it('is nothing in an empty window', () => {
    expect(longestGap([5], { from: 100, to: 100 }).ms).toBe(0);
    expect(longestGap([5], { from: 100, to: 50 }).ms).toBe(0);
  });

  it('holds no moment, and no longer one exists', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 })), moments => {
        const gap = longestGap(moments, window);
        expect(moments.some(moment => moment > gap.from && moment < gap.to)).toBe(false);
        const edges = [100, ...moments.filter(moment => moment >= 100 && moment <= 200), 200].sort(
          (a, b) => a - b,
        );
        const steps = edges.slice(1).map((edge, index) => edge - (edges[index] ?? 0));
        expect(gap.ms).toBe(Math.max(...steps));
      }),
    );
  });
});

describe('outages', () => {
  const answers = [
    makeAnswer(120),
    makeAnswer(150, { outcome: 'unknown' }),
    makeAnswer(180),
    makeAnswer(150, { path: 'primary' }),
    makeAnswer(150, { path: 'dead', outcome: 'failed' }),
  ];

  it('are told for each path, for all of them, and for the worst', () => {
    const { all, worst, paths } = outages(answers, window);
    expect(paths.map(({ path, gap }) => [path, gap.ms])).toEqual([
      ['dead', 100],
      ['pooler', 60],
      ['primary', 50],
    ]);
    expect(all.ms).toBe(30);
    expect(worst.ms).toBe(100);
  });

  it('last the whole window without any answer', () => {
    expect(outages([], window)).toMatchObject({ all: { ms: 100 }, worst: { ms: 100 }, paths: [] });
  });
});

describe('the strip', () => {
  it('counts answers by bucket and outcome, within the window only', () => {
    const answers = [
      makeAnswer(99),
      makeAnswer(100),
      makeAnswer(109.9),
      makeAnswer(110, { outcome: 'failed' }),
      makeAnswer(Number.POSITIVE_INFINITY, { outcome: 'unknown', sentAt: 121 }),
      makeAnswer(125),
      makeAnswer(130),
    ];
    expect(availabilityStrip(answers, { from: 100, to: 125.5 }, 10)).toEqual({
      from: 100,
      bucketMs: 10,
      acknowledged: [2, 0, 1],
      failed: [0, 1, 0],
      unknown: [0, 0, 1],
    });
  });

  it('has a bucket per 100 ms, and none in an empty window', () => {
    expect(availabilityStrip([], { from: 0, to: 1000 }).failed).toHaveLength(10);
    expect(availabilityStrip([makeAnswer(0)], { from: 10, to: 0 }).acknowledged).toEqual([]);
  });
});

describe('errors', () => {
  const answers = [
    makeAnswer(1),
    makeAnswer(2, { outcome: 'failed', code: '25006' }),
    makeAnswer(3, { outcome: 'unknown', code: '57P01' }),
    makeAnswer(4, { outcome: 'failed', code: '57P01' }),
    makeAnswer(5, { outcome: 'unknown' }),
  ];

  it('are counted by code, most frequent first', () => {
    expect(errorsByCode(answers)).toEqual([
      { code: '57P01', class: '57', title: 'operator intervention', failed: 1, unknown: 1 },
      { code: undefined, class: 'none', title: 'no answer', failed: 0, unknown: 1 },
      { code: '25006', class: '25', title: 'read-only or failed transaction', failed: 1, unknown: 0 },
    ]);
  });

  it('of requests under way when a fault struck are told apart', () => {
    const during = makeAnswer(20, { sentAt: 10, outcome: 'unknown' });
    expect(errorsBeyondInFlight([during, makeAnswer(20, { sentAt: 10 })], [])).toBe(1);
    for (const moment of [10, 15, 20]) expect(errorsBeyondInFlight([during], [5, moment])).toBe(0);
    expect(errorsBeyondInFlight([during], [9, 21])).toBe(1);
    const never = makeAnswer(Number.POSITIVE_INFINITY, { sentAt: 10, outcome: 'unknown' });
    expect(errorsBeyondInFlight([never], [15])).toBe(0);
  });

  it('of reads are never unknown', () => {
    const read = { path: 'standby', sentAt: 1, endedAt: 2, server: undefined };
    const answers = answersOf([
      { ...read, ok: true, code: undefined },
      { ...read, ok: false, code: '57P01' },
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['acknowledged', 'failed']);
  });
});

describe('speed', () => {
  it('counts acknowledgements per second within the window', () => {
    const answers = [
      makeAnswer(100),
      makeAnswer(150),
      makeAnswer(200),
      makeAnswer(160, { outcome: 'failed' }),
    ];
    expect(throughput([...answers, makeAnswer(99), makeAnswer(201)], window)).toBe(30);
    expect(throughput(answers, { from: 100, to: 100 })).toBe(0);
  });

  it('has percentiles of what was acknowledged', () => {
    const answers = Array.from({ length: 100 }, (_, index) => makeAnswer(index + 1001, { sentAt: 1000 }));
    expect(latency(durations([...answers, makeAnswer(5000, { sentAt: 0, outcome: 'unknown' })]))).toEqual({
      p50: 50,
      p95: 95,
      p99: 99,
      max: 100,
    });
    expect(latency([])).toEqual({ p50: undefined, p95: undefined, p99: undefined, max: undefined });
  });
});
