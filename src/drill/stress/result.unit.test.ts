import { describe, expect, it } from 'vitest';
import { fakerPeople, peopleRows } from './people.ts';
import { classed, longestGap, resultOf, states } from './result.ts';
import { Tally } from './tally.ts';
import { type Cell, Recorder, type Window } from './window.ts';

function window(recorder: Recorder, changes: Partial<Window> = {}): Window {
  return {
    phase: 'load',
    fromMs: 0,
    toMs: 500,
    connected: 2,
    waiting: 1,
    oldestMs: 5,
    tried: 2,
    utilisation: 0.5,
    cpu: 0.25,
    delayMs: 3,
    ...recorder.take(),
    ...changes,
  };
}

const FACTS = {
  clients: 4,
  intervalMs: 500,
  threads: 2,
  ramp: { milliseconds: 100, connected: 4, ended: 'all-connected' as const },
  milliseconds: 1_000,
  stopped: false,
  machine: { shared: true, busy: 0.5 },
};

describe('tally', () => {
  it('puts together what two threads counted', () => {
    const tally = new Tally(2, 1_000);
    for (const thread of [0, 1]) {
      const recorder = new Recorder();
      recorder.acknowledged(10 + thread, 4, 'read', 1);
      recorder.acknowledged(900 + thread, 8, 'write', 0);
      recorder.failed(450, '57P01', 'shut down');
      tally.add(thread, window(recorder));
    }
    const result = resultOf(tally, FACTS);
    expect(result).toMatchObject({ acknowledged: 4, rows: 2, perSecond: 4, wantedPerSecond: 8, failures: 2 });
    expect(result.statements).toMatchObject({ count: 4 });
    expect(result.reads?.p50).toBeCloseTo(4, 1);
    expect(result.writes?.max).toBeCloseTo(8, 1);
    expect(result.longestGapMs).toBe(889);
    expect(result.connectedAtEnd).toBe(4);
    expect(result.generator).toEqual({ threads: 2, utilisation: 0.5, cpu: 0.25, delayMs: 3 });
    expect(result.errors).toEqual([
      { code: '57P01', class: '57', title: 'operator intervention', message: 'shut down', count: 2 },
    ]);
    expect(result.points).toHaveLength(1);
    expect(result.points[0]).toMatchObject({ perSecond: 4, failuresPerSecond: 2, connected: 4, waiting: 2 });
  });

  it('keeps what happened while clients connected apart', () => {
    const tally = new Tally(1, 1_000);
    const recorder = new Recorder();
    recorder.failed(-1, '53300', 'too many');
    recorder.connected(3);
    tally.add(0, window(recorder, { phase: 'ramp' }));
    const result = resultOf(tally, FACTS);
    expect(result.failures).toBe(0);
    expect(result.ramp.errors).toMatchObject([{ code: '53300', count: 1 }]);
    expect(result.connects?.count).toBe(1);
    expect(result.statements).toBeUndefined();
    expect(result.cells.states.every(state => state === 'none')).toBe(true);
  });

  it('has a bounded number of points, however long the load', () => {
    const tally = new Tally(1, 24 * 3_600_000);
    for (let hour = 0; hour < 24; hour++) {
      const recorder = new Recorder();
      recorder.acknowledged(hour * 3_600_000, 1, 'read', 1);
      tally.add(0, window(recorder, { fromMs: hour * 3_600_000, toMs: hour * 3_600_000 + 500 }));
    }
    expect(tally.points(24 * 3_600_000).length).toBeLessThanOrEqual(600);
  });
});

describe('errors', () => {
  it('are told by code, with the most frequent text', () => {
    const recorder = new Recorder();
    recorder.failed(0, '53300', 'slots are reserved');
    for (let i = 0; i < 3; i++) recorder.failed(0, '53300', 'sorry, too many clients already');
    recorder.failed(0, 'ECONNREFUSED', 'x');
    for (let i = 0; i < 100; i++) recorder.failed(0, '08P01', `no. ${i}`);
    const errors = classed(recorder.take().errors);
    expect(errors.map(({ code, count }) => [code, count])).toEqual([
      ['08P01', 100],
      ['53300', 4],
      ['ECONNREFUSED', 1],
    ]);
    expect(errors[1]?.message).toBe('sorry, too many clients already');
  });
});

describe('availability', () => {
  const cell = (index: number, acknowledged: number, failed: number, first: number, last = first): Cell => ({
    index,
    acknowledged,
    failed,
    first,
    last,
  });
  const map = (...cells: Cell[]): Map<number, Cell> => new Map(cells.map(one => [one.index, one]));

  it('has the longest gap between answers, the ends included', () => {
    const cells = map(cell(0, 2, 0, 5, 90), cell(7, 1, 0, 730), cell(3, 0, 9, 0));
    expect(longestGap(cells, 800)).toBe(640);
    expect(longestGap(cells, 2_000)).toBe(1_270);
    expect(longestGap(map(), 3_000)).toBe(3_000);
  });

  it('tells answers, failures and silence apart', () => {
    const cells = map(cell(0, 9, 1, 5), cell(1, 0, 3, 100));
    expect(states(cells, 300, 600)).toEqual({ ms: 100, states: ['acknowledged', 'failed', 'none'] });
  });

  it('looks at longer stretches where answers are rare', () => {
    expect(states(map(cell(4, 1, 0, 410)), 2_000, 10).ms).toBe(800);
    expect(states(map(), 2_000, 0).ms).toBe(100);
  });
});

describe('made-up people', () => {
  it('are rows for COPY, the same ones for the same seed', async () => {
    const make = async (seed: number): Promise<string> =>
      [...peopleRows(5_001, await fakerPeople(seed))].map(({ text }) => text).join('');
    const text = await make(7);
    const rows = text.split('\n').slice(0, -1);
    expect(rows).toHaveLength(5_001);
    for (const row of rows) expect(row).toMatch(/^\d+\t[^\t\\]+ [^\t\\]+\t\d+$/);
    expect(rows.map(row => Number(row.split('\t')[0]))).toEqual(rows.map((_, i) => i + 1));
    expect(await make(7)).toBe(text);
    expect(await make(8)).not.toBe(text);
  });

  it('says how many rows a piece has', async () => {
    const people = { firstName: () => 'A', lastName: () => 'B', number: () => 1 };
    expect([...peopleRows(4_500, people)].map(({ rows }) => rows)).toEqual([2_000, 2_000, 500]);
  });
});
