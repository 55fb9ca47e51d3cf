import { describe, expect, it } from 'vitest';
import { chainHash } from './chain.ts';
import { type CheckFindings, checkLedger, type LedgerCheck } from './check.ts';
import type { LedgerRow } from './history.ts';
import { makeChain, makeRun, makeWrite, type Run, sha256 } from './testing/histories.ts';

function check({ writes, members }: Run): LedgerCheck {
  return checkLedger(writes, members, sha256);
}

/** Changes the rows of the members named, or of all. */
function alter(run: Run, change: (rows: LedgerRow[]) => LedgerRow[], ...names: string[]): Run {
  const members = run.members.map(ledger =>
    names.length === 0 || names.includes(ledger.member) ? { ...ledger, rows: change(ledger.rows) } : ledger,
  );
  return { ...run, members };
}

const without = (id: string) => (rows: LedgerRow[]) => rows.filter(row => row.id !== id);

function faults(findings: CheckFindings & { divided?: { ids: string[] } }) {
  const { lost, phantom, foreign, duplicate, differing, holes, reordered, divided } = findings;
  const all = { lost, phantom, foreign, duplicate, differing, holes, reordered, divided };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, found]) => (found && found.ids.length > 0 ? [[key, found.ids]] : [])),
  );
}

const mixed = makeRun(
  (
    ['acknowledged', 'acknowledged', 'unknown, there', 'acknowledged', 'unknown, absent', 'failed'] as const
  ).map(fate => ({ writer: 0, fate, failover: false })),
);

describe('the checker', () => {
  it('finds nothing where nothing is wrong; unknown may be there or not', () => {
    const { writes, overall, members } = check(mixed);
    expect(writes).toEqual({ acknowledged: 3, failed: 1, unknown: 2 });
    expect(faults(overall)).toEqual({});
    expect(overall.unknownPresent).toEqual({ count: 1, ids: ['w2'] });
    expect(overall.unknownAbsent).toEqual({ count: 1, ids: ['w4'] });
    expect(overall.prefix).toBe(true);
    expect(overall.loss).toEqual({ writes: 0, bytes: 0, seconds: 0 });
    expect(members.map(({ member, rows }) => [member, rows])).toEqual([
      ['demo-0', 4],
      ['demo-1', 4],
      ['demo-2', 4],
    ]);
  });

  it('finds a loss on every member', () => {
    const { overall } = check(alter(makeChain(5), without('w4')));
    expect(faults(overall)).toEqual({ lost: ['w4'] });
    expect(overall.prefix).toBe(true);
  });

  it('finds a loss on one member, and says on which', () => {
    const { overall, members } = check(alter(makeChain(5), without('w4'), 'demo-1'));
    expect(faults(overall)).toEqual({ lost: ['w4'], divided: ['w4'] });
    expect(members.map(({ lost }) => lost.count)).toEqual([0, 1, 0]);
  });

  it('finds the hole that a loss in the middle leaves', () => {
    const { overall } = check(alter(makeChain(5), without('w2')));
    expect(faults(overall)).toEqual({ lost: ['w2'], holes: ['w3'] });
    expect(overall.prefix).toBe(false);
  });

  it('finds a write that failed and is there', () => {
    const [failed] = mixed.writes.filter(({ outcome }) => outcome === 'failed');
    const { overall } = check(alter(mixed, rows => (failed ? [...rows, failed] : rows), 'demo-2'));
    expect(faults(overall)).toEqual({ phantom: ['w5'], divided: ['w5'] });
  });

  it('finds a row that nobody sent', () => {
    const hash = chainHash('', 'x', 0, 'stranger', sha256);
    const stranger = { id: 'stranger', chain: 'x', sequence: 0, previous: '', hash };
    const { overall } = check(alter(mixed, rows => [...rows, stranger]));
    expect(faults(overall)).toEqual({ foreign: ['stranger'] });
    const one = check(alter(mixed, rows => [...rows, stranger], 'demo-0'));
    expect(faults(one.overall)).toEqual({ foreign: ['stranger'], divided: ['stranger'] });
  });

  it('finds strangers that differ between members', () => {
    const stranger = (hash: string) => ({ id: 'stranger', chain: 'x', sequence: 0, previous: '', hash });
    const one = alter(makeChain(1, ['demo-0', 'demo-1']), rows => [...rows, stranger('a')], 'demo-0');
    const { overall } = check(alter(one, rows => [...rows, stranger('b')], 'demo-1'));
    expect(faults(overall)).toEqual({ foreign: ['stranger'], differing: ['stranger'] });
  });

  it('finds a row that is there twice, and counts it once', () => {
    const { overall } = check(
      alter(makeChain(3), rows => [...rows, ...rows.slice(1, 2), ...rows.slice(1, 2)]),
    );
    expect(faults(overall)).toEqual({ duplicate: ['w1'] });
    expect(overall.duplicate.count).toBe(1);
  });

  it('finds rows whose places were exchanged', () => {
    const place = new Map([
      [1, 2],
      [2, 1],
    ]);
    const { overall } = check(
      alter(makeChain(4), rows =>
        rows.map(row => ({ ...row, sequence: place.get(row.sequence) ?? row.sequence })),
      ),
    );
    expect(faults(overall)).toEqual({ differing: ['w1', 'w2'], reordered: ['w2', 'w1', 'w3'] });
  });

  it('finds an altered hash, on one member too', () => {
    const change = (rows: LedgerRow[]) => rows.map(row => (row.id === 'w1' ? { ...row, hash: 'x' } : row));
    const { overall } = check(alter(makeChain(2), change, 'demo-1'));
    expect(faults(overall)).toEqual({ differing: ['w1'], reordered: ['w1'] });
  });

  it('finds a journal whose hashes are wrong, though the rows are like it', () => {
    const write = makeWrite({ id: 'w0', hash: 'made up' });
    const { overall } = check({ writes: [write], members: [{ member: 'demo-0', rows: [write] }] });
    expect(faults(overall)).toEqual({ reordered: ['w0'] });
  });

  it('finds an unknown write on some members only', () => {
    const { overall } = check(alter(mixed, without('w2'), 'demo-0'));
    expect(faults(overall)).toEqual({ divided: ['w2'] });
    expect(overall.unknownPresent.ids).toEqual(['w2']);
    expect(overall.unknownAbsent.ids).toEqual(['w4']);
  });

  it('names 20 and counts all', () => {
    const { overall } = check(alter(makeChain(50), () => []));
    expect(overall.lost.count).toBe(50);
    expect(overall.lost.ids).toHaveLength(20);
  });

  it('refuses a journal that holds a write twice', () => {
    expect(() => check({ writes: [makeWrite(), makeWrite()], members: [] })).toThrow('w twice');
  });
});

describe('the size of a loss', () => {
  it('is counted from the last kept acknowledgement, on its timeline', () => {
    const run = makeRun(
      [false, false, false, false, true].map(failover => ({ writer: 0, fate: 'acknowledged', failover })),
    );
    const lost = ['w2', 'w3'];
    const { overall } = check(alter(run, rows => rows.filter(({ id }) => !lost.includes(id))));
    expect(overall.loss).toEqual({ writes: 2, bytes: 200, seconds: 0.01 });
  });

  it('adds up over timelines', () => {
    const run = makeRun(
      [false, false, true, false, false].map(failover => ({ writer: 0, fate: 'acknowledged', failover })),
    );
    const lost = ['w1', 'w3', 'w4'];
    const { overall } = check(alter(run, rows => rows.filter(({ id }) => !lost.includes(id))));
    expect(overall.loss).toEqual({ writes: 3, bytes: 300, seconds: 0.01 });
  });

  it('is not known where nothing before it was kept, or a position is missing', () => {
    expect(check(alter(makeChain(3), () => [])).overall.loss).toEqual({
      writes: 3,
      bytes: undefined,
      seconds: 0.02,
    });
    const run = makeChain(3);
    const writes = run.writes.map(write => ({ ...write, lsn: write.id === 'w2' ? undefined : write.lsn }));
    expect(check({ ...alter(run, without('w2')), writes }).overall.loss.bytes).toBeUndefined();
  });

  it('is not counted from a write that was never acknowledged', () => {
    const run = makeChain(3);
    const writes = run.writes.map(write =>
      write.id === 'w1' ? { ...write, outcome: 'unknown' as const } : write,
    );
    expect(check({ ...alter(run, without('w2')), writes }).overall.loss.bytes).toBe(200);
  });

  it('is told of each member too', () => {
    const { members } = check(alter(makeChain(3), without('w2'), 'demo-1'));
    expect(members.map(({ loss }) => loss.bytes)).toEqual([0, 100, 0]);
  });
});
