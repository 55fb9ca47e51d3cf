import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dualWrites } from './dual.ts';
import type { WriteRecord } from './history.ts';
import { anyRun, makeWrite } from './testing/histories.ts';

/** "1a 10-12": acknowledged by server a on timeline 1, sent at 10, answered at 12. "-" for what is not known. */
function history(...texts: string[]): WriteRecord[] {
  return texts.map((text, index) => {
    const [, timeline, server, sentAt, endedAt] = /^(\d|-)(\w|-) (\d+)-(\d+)$/.exec(text) ?? [];
    return makeWrite({
      id: `w${index}`,
      timeline: timeline === '-' ? undefined : Number(timeline),
      server: server === '-' ? undefined : server,
      sentAt: Number(sentAt),
      endedAt: Number(endedAt),
    });
  });
}

describe('writes acknowledged by two primaries', () => {
  it('are none in an orderly failover', () => {
    expect(dualWrites(history('1a 0-1', '1a 2-3', '2b 10-11', '2b 12-13'))).toEqual({
      dualAcknowledged: 0,
      windowMs: 0,
      windows: [],
      unattributed: 0,
    });
  });

  it('are those of the older after the first of the newer, in whatever order they are listed', () => {
    const { dualAcknowledged, windowMs, windows } = dualWrites(
      history('1a 20-21', '1a 0-1', '2b 15-16', '2b 10-11', '1a 12-13', '2b 30-31'),
    );
    expect(dualAcknowledged).toBe(2);
    expect(windowMs).toBe(10);
    expect(windows).toEqual([
      {
        server: 'a',
        timeline: 1,
        newerServer: 'b',
        newerTimeline: 2,
        from: 11,
        to: 21,
        writes: 2,
        paths: ['pooler'],
      },
    ]);
  });

  it('a write under way at the first of the newer does not count', () => {
    expect(dualWrites(history('2b 10-11', '1a 9-20')).dualAcknowledged).toBe(0);
    expect(dualWrites(history('2b 10-11', '1a 11-20')).dualAcknowledged).toBe(0);
    expect(dualWrites(history('2b 10-11', '1a 12-20')).dualAcknowledged).toBe(1);
  });

  it('only acknowledgements count, on both sides', () => {
    const [newer, older] = history('2b 10-11', '1a 12-13') as [WriteRecord, WriteRecord];
    expect(dualWrites([newer, older]).dualAcknowledged).toBe(1);
    expect(dualWrites([{ ...newer, outcome: 'unknown' }, older]).dualAcknowledged).toBe(0);
    expect(dualWrites([newer, { ...older, outcome: 'unknown' }]).dualAcknowledged).toBe(0);
  });

  it('two servers on timelines of one number count', () => {
    const { dualAcknowledged, windows } = dualWrites(history('2a 0-1', '2b 10-11', '2a 12-13', '2b 14-15'));
    expect(dualAcknowledged).toBe(1);
    expect(windows[0]).toMatchObject({ server: 'a', newerServer: 'b', from: 11, to: 13 });
    const tied = history('2a 0-1', '2b 0-1', '2a 2-3', '2b 2-3');
    expect(dualWrites(tied)).toMatchObject({ dualAcknowledged: 1, windowMs: 2 });
    expect(dualWrites(tied.toReversed())).toEqual(dualWrites(tied));
  });

  it('a server that is not named is another one on another timeline, the same one on the same', () => {
    expect(dualWrites(history('2b 10-11', '1- 12-13')).dualAcknowledged).toBe(1);
    expect(dualWrites(history('2- 10-11', '1a 12-13')).dualAcknowledged).toBe(1);
    expect(dualWrites(history('2b 10-11', '2- 12-13', '2b 14-15')).dualAcknowledged).toBe(0);
  });

  it('without a timeline nothing can be told, and that is said', () => {
    expect(dualWrites(history('2b 10-11', '-a 12-13'))).toMatchObject({
      dualAcknowledged: 0,
      unattributed: 1,
    });
  });

  it('has a window per older primary, and the longest as its length', () => {
    const { windows, windowMs } = dualWrites(
      history('2b 30-61', '1a 0-1', '2b 10-11', '1a 12-14', '3c 20-21', '3c 70-71'),
    );
    expect(windows.map(({ server, newerServer, from, to }) => [server, newerServer, from, to])).toEqual([
      ['a', 'b', 11, 14],
      ['b', 'c', 21, 61],
    ]);
    expect(windowMs).toBe(40);
  });

  it('names the paths the older was reached by', () => {
    const [newer, older, other] = history('2b 10-11', '1a 12-13', '1a 14-15') as [
      WriteRecord,
      WriteRecord,
      WriteRecord,
    ];
    const { windows } = dualWrites([
      { ...newer, path: 'primary' },
      { ...older, path: 'inside demo-0' },
      other,
    ]);
    expect(windows[0]?.paths).toEqual(['inside demo-0', 'pooler']);
  });

  it('are never found in a correct run, and always when an old primary goes on', () => {
    fc.assert(
      fc.property(anyRun, ({ writes }) => {
        expect(dualWrites(writes).dualAcknowledged).toBe(0);
        const newest = writes.findLast(({ timeline }) => (timeline ?? 0) > 1);
        fc.pre(newest !== undefined);
        const late = makeWrite({ server: 'old', timeline: 1, sentAt: 10_000, endedAt: 10_001 });
        expect(dualWrites([...writes, late]).dualAcknowledged).toBe(1);
      }),
    );
  });
});
