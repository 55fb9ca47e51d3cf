import { expect, test } from 'vitest';
import { describeWindows, mayInterrupt } from './maintenance.ts';

const saturday = { weekday: 6, startMinute: 60, endMinute: 240 };
const daily = { weekday: undefined, startMinute: 1380, endMinute: 1439 };

test.each([
  [[], '2026-11-23T12:00:00Z', true],
  [[saturday], '2026-11-28T00:59:59Z', false],
  [[saturday], '2026-11-28T01:00:00Z', true],
  [[saturday], '2026-11-28T04:00:59Z', true],
  [[saturday], '2026-11-28T04:01:00Z', false],
  [[saturday], '2026-11-27T02:00:00Z', false],
  [[saturday, daily], '2026-11-23T23:59:59Z', true],
  [[daily], '2026-11-24T00:00:00Z', false],
])('windows %j at %s: %s', (windows, at, may) => {
  expect(mayInterrupt(windows, new Date(at))).toBe(may);
});

test('windows in words', () => {
  expect(describeWindows([saturday, daily])).toBe('Sat 01:00-04:00 UTC, 23:00-23:59 UTC');
});
