import { expect, test } from 'vitest';
import { missingBefore } from './archive.ts';

const MB16 = 16n * 1024n * 1024n;
const name = (timeline: number, number: number) =>
  `0000000${timeline}00000000000000${number.toString(16).toUpperCase().padStart(2, '0')}`;

test('what lacks before the end of the last timeline is named by the timeline that it is of', () => {
  const parents = [
    { timeline: 1, endLsn: '0/5000100' },
    { timeline: 2, endLsn: '0/8000100' },
  ];
  // Segment 5 belongs to the timeline that went on in it; 6 is there of another timeline, which is as good.
  const held = [name(1, 3), name(3, 6)];
  expect(missingBefore(held, parents, MB16)).toEqual([name(1, 4), name(2, 5), name(2, 7)]);
});

test('nothing lacks where nothing was ever archived, or no timeline ended', () => {
  expect(missingBefore([], [{ timeline: 1, endLsn: '0/5000100' }], MB16)).toEqual([]);
  expect(missingBefore([name(1, 1)], [], MB16)).toEqual([]);
});
