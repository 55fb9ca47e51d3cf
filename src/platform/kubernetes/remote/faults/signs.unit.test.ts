import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAbandoned, noteSign, SignsOfLife } from './signs.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a register is abandoned when it has not changed for a while, whatever it says', () => {
  const first = noteSign(undefined, '7', 1000);
  expect(noteSign(first, '7', 9000)).toBe(first);
  expect(isAbandoned(first, 21_000)).toBe(false);
  expect(isAbandoned(first, 21_001)).toBe(true);
  expect(isAbandoned(noteSign(first, '8', 21_001), 21_002)).toBe(false);
});

test('signs are given while something stands, also when one gets lost, and no longer', async () => {
  let given = 0;
  const signs = new SignsOfLife(async () => {
    given += 1;
    throw new Error('the API server is away');
  });
  signs.begin('a');
  signs.begin('b');
  await vi.advanceTimersByTimeAsync(6_100);
  expect(given).toBe(2);
  signs.end('a');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(given).toBe(3);
  signs.end('b');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(given).toBe(3);
  signs.begin('c');
  await vi.advanceTimersByTimeAsync(3_100);
  expect(given).toBe(4);
  signs.end('c');
});
