import { expect, test } from 'vitest';
import type { LeaderKey } from '../patroni/leaderKey.ts';
import { KeyClock } from './keyClock.ts';

const key = (renewTime: string, more: Partial<LeaderKey> = {}): LeaderKey => ({
  holder: 'demo-0',
  revision: '3 then',
  renewTime,
  ttlMs: 20_000,
  resourceVersion: '1',
  ...more,
});

test('a lease ends its ttl after the renewal was seen', () => {
  const clock = new KeyClock();
  clock.note(key('a'), 1_000);
  expect(clock.read(key('a'), 1_500)).toMatchObject({
    state: 'held',
    leaseRemainingMs: 19_500,
    sentAt: 1_500,
  });
  clock.note(key('b'), 3_000);
  clock.note(key('b'), 4_000);
  expect(clock.read(key('b'), 5_000)).toMatchObject({ leaseRemainingMs: 18_000, revision: '3 then' });
  expect(clock.read(key('b'), 30_000)).toMatchObject({ leaseRemainingMs: 0 });
});

test('a renewal that was not told yet was written after the question before', () => {
  const clock = new KeyClock();
  clock.note(key('a'), 1_000);
  clock.note(key('b'), 3_100, 3_000);
  expect(clock.read(key('b'), 3_100)).toMatchObject({ leaseRemainingMs: 19_900 });
});

test('the first question in doubt has none before it: the renewal is later than the one that was seen', () => {
  const clock = new KeyClock();
  clock.note(key('a'), 60_000);
  clock.note(key('b'), 61_500, Number.NEGATIVE_INFINITY);
  expect(clock.read(key('b'), 61_500)).toMatchObject({ leaseRemainingMs: 18_500 });
});

test('a watch that lags behind what a quorum has answered renews nothing', () => {
  const clock = new KeyClock();
  clock.note(key('a'), 1_000);
  for (let at = 3_000; at < 20_000; at += 100) {
    clock.note(key('a'), 1_000);
    clock.note(key('b'), at, at - 100);
  }
  expect(clock.read(key('b'), 20_000)).toMatchObject({ leaseRemainingMs: 2_900 });
});

test('a key without a name in it is held by nobody', () => {
  expect(new KeyClock().read(key('a', { holder: undefined }), 7)).toEqual({ state: 'none', sentAt: 7 });
});
