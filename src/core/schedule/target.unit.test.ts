import { expect, test } from 'vitest';
import { RefusedError } from '../../lib/errors.ts';
import { parseTarget, targetText } from './target.ts';

const now = new Date('2026-11-22T18:00:00.500Z');
const berlin = { now, timeZone: 'Europe/Berlin' };

test.each([
  ['2026-11-22 14:03:00', '2026-11-22T13:03:00Z'],
  ['2026-11-22 14:03', '2026-11-22T13:03:00Z'],
  ['2026-07-01T14:03:00.123456', '2026-07-01T12:03:00.123456Z'],
  ['14:03', '2026-11-22T13:03:00Z'],
  ['2026-11-22T14:03:00Z', '2026-11-22T14:03:00Z'],
  ['2026-11-22 14:03:00 UTC', '2026-11-22T14:03:00Z'],
  ['2026-11-22 14:03:00+05:30', '2026-11-22T08:33:00Z'],
  ['2026-11-22 14:03:00-08', '2026-11-22T22:03:00Z'],
  ['10 minutes ago', '2026-11-22T17:50:00.500Z'],
  ['90s ago', '2026-11-22T17:58:30.500Z'],
  ['2 days ago', '2026-11-20T18:00:00.500Z'],
  // The hour that comes twice: the first; the hour that never comes: when clocks went on.
  ['2026-10-25 02:30:00', '2026-10-25T00:30:00Z'],
  ['2026-03-29 02:30:00', '2026-03-29T01:30:00Z'],
])('%s is %s', (text, at) => {
  const later = { ...berlin, now: text.includes('-08') ? new Date('2026-11-23T00:00:00Z') : now };
  expect(parseTarget(text, later)).toEqual({ kind: 'time', at });
});

test('positions, transactions, restore points, and the two ends', () => {
  expect(parseTarget('0/501abcd', berlin)).toEqual({ kind: 'lsn', lsn: '0/501ABCD' });
  expect(parseTarget('xid:750', berlin)).toEqual({ kind: 'xid', xid: '750' });
  expect(parseTarget('name:before release', berlin)).toEqual({ kind: 'name', name: 'before release' });
  expect(parseTarget('immediate', berlin)).toEqual({ kind: 'immediate' });
  expect(parseTarget('latest', berlin)).toBeUndefined();
});

test.each(['yesterday', '750', '2026-02-30 10:00', '25:00', '2026-11-22', 'xid:', 'name:', '', '0/'])(
  '"%s" is refused, and the forms are named',
  text => {
    expect(() => parseTarget(text, berlin)).toThrow(RefusedError);
    expect(() => parseTarget(text, berlin)).toThrow(expect.objectContaining({ code: 'bad-target' }));
  },
);

test('a time to come is refused', () => {
  expect(() => parseTarget('2026-11-22 19:00:01', berlin)).toThrow(
    expect.objectContaining({ code: 'target-in-future' }),
  );
});

test('targets are named for people', () => {
  expect(targetText(undefined)).toBe('the end of the archive');
  expect(targetText({ kind: 'xid', xid: '7' })).toBe('transaction 7');
});
