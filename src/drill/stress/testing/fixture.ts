import type { LoadResult } from '../result.ts';
import type { StressOutcome, StressRun } from '../stressTest.ts';
import { judge } from '../verdict.ts';

const LATENCY = { count: 17_940, mean: 2, p50: 1.5, p95: 6, p99: 12.3, max: 88 };

/** A load of 300 readers for 30 s that went well. */
export function makeResult(changes: Partial<LoadResult> = {}): LoadResult {
  return {
    clients: 300,
    ramp: { milliseconds: 2_100, connected: 300, ended: 'all-connected', errors: [] },
    milliseconds: 30_000,
    stopped: false,
    acknowledged: 17_940,
    rows: 17_940,
    perSecond: 598,
    wantedPerSecond: 600,
    statements: LATENCY,
    reads: LATENCY,
    writes: undefined,
    connects: { ...LATENCY, count: 300 },
    lowestConnected: 300,
    connectedAtEnd: 300,
    errors: [],
    failures: 0,
    longestGapMs: 120,
    unanswered: { count: 2, oldestMs: 3 },
    generator: { threads: 2, utilisation: 0.2, cpu: 0.1, delayMs: 4 },
    machine: { shared: true, busy: 0.4 },
    points: [0, 1_000, 2_000].map(fromMs => ({
      fromMs,
      perSecond: 598,
      failuresPerSecond: 0,
      latency: LATENCY,
      connected: 300,
      waiting: 2,
    })),
    cells: { ms: 100, states: ['acknowledged', 'acknowledged', 'none'] },
    ...changes,
  };
}

export const TOO_MANY = {
  code: '53300',
  class: '53',
  title: 'out of resources',
  message: 'sorry, too many clients already',
  count: 264,
};

/** The same load where only 36 clients got in. */
export function makeRefused(): LoadResult {
  return makeResult({
    ramp: { milliseconds: 4_000, connected: 36, ended: 'no-more', errors: [TOO_MANY] },
    errors: [TOO_MANY],
    failures: 264,
  });
}

export function makeRun(result: LoadResult = makeResult(), changes: Partial<StressRun> = {}): StressRun {
  return {
    endpoint: 'pooler',
    host: '127.1.2.1',
    port: 6432,
    result,
    judgement: judge(result, false),
    ...changes,
  };
}

export function makeOutcome(runs: StressRun[] = [makeRun()]): StressOutcome {
  return {
    ref: { name: 'herd', namespace: 'default' },
    startedAt: '2026-01-01T00:00:00.000Z',
    wish: {
      load: {
        clients: 300,
        durationMs: 30_000,
        intervalMs: 500,
        writeRatio: 0,
        connectEachTime: false,
        script: undefined,
      },
      scriptName: undefined,
      endpoints: runs.map(run => run.endpoint),
      user: 'bauer',
      database: 'firmendaten',
      fill: { rows: 10_000, seed: 1 },
    },
    fill: { rows: 10_000, seed: 1, milliseconds: 400, bytes: 800_000 },
    runs,
    judgement: runs[0]?.judgement ?? { verdict: 'passed', sentence: 'filled', notes: [] },
  };
}
