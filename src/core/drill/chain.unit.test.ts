import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainBreaks, chainHash } from './chain.ts';
import { makeChain, sha256 } from './testing/histories.ts';

const genuine = () => true;

function rowsOf(length: number) {
  return makeChain(length).members[0]?.rows ?? [];
}

describe('the hash of a row', () => {
  it('can be computed by hand', () => {
    expect(chainHash('', 'c1', 0, 'w1', text => text)).toBe('["","c1",0,"w1"]');
    expect(chainHash('', 'c1', 0, 'w1', sha256)).toBe(
      'cd5dff5b17d3366bf30f67ad71c4cfe7a8721f0067ef7f6c7457d60796557df5',
    );
  });

  it('differs as soon as any field does', () => {
    const fields = fc.tuple(fc.string(), fc.string(), fc.nat(), fc.string());
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(chainHash(...a, text => text)).not.toBe(chainHash(...b, text => text));
      }),
    );
  });
});

describe('breaks of a chain', () => {
  it('has none, in whatever order the rows come', () => {
    const rows = rowsOf(6);
    expect(chainBreaks(rows, genuine)).toEqual({ holes: new Set(), reordered: new Set() });
    expect(chainBreaks(rows.toReversed(), genuine)).toEqual({ holes: new Set(), reordered: new Set() });
  });

  it('a missing tail is none', () => {
    expect(chainBreaks(rowsOf(6).slice(0, 4), genuine).holes).toEqual(new Set());
  });

  it('a row after a missing one is a hole, once', () => {
    const rows = rowsOf(6).filter(({ sequence }) => sequence !== 2);
    expect(chainBreaks(rows, genuine)).toEqual({ holes: new Set(['w3']), reordered: new Set() });
  });

  it('a missing first row is a hole', () => {
    expect(chainBreaks(rowsOf(3).slice(1), genuine).holes).toEqual(new Set(['w1']));
  });

  it('a row that names another predecessor is reordered', () => {
    const rows = rowsOf(4).map(row => (row.sequence === 2 ? { ...row, previous: 'x' } : row));
    expect(chainBreaks(rows, genuine)).toEqual({ holes: new Set(), reordered: new Set(['w2']) });
  });

  it('a first row with a predecessor is reordered', () => {
    const rows = rowsOf(1).map(row => ({ ...row, previous: 'x' }));
    expect(chainBreaks(rows, genuine).reordered).toEqual(new Set(['w0']));
  });

  it('a second row at the same place is reordered', () => {
    const rows = rowsOf(3);
    const rival = rows.slice(1, 2).map(row => ({ ...row, id: 'rival' }));
    expect(chainBreaks([...rows, ...rival], genuine).reordered).toEqual(new Set(['rival']));
  });

  it('a row whose hash does not follow from it is reordered', () => {
    expect(chainBreaks(rowsOf(3), ({ sequence }) => sequence !== 1).reordered).toEqual(new Set(['w1']));
  });
});
