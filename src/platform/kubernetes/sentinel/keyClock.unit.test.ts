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

test('a lease ends its ttl after the renewal was seen; of the first one nobody knows how old it is', () => {
  const clock = new KeyClock();
  clock.note(key('a'), 1_000);
  expect(clock.read(key('a'), 1_500)).toMatchObject({ state: 'held', leaseRemainingMs: 0, sentAt: 1_500 });
  clock.note(key('b'), 3_000);
  clock.note(key('b'), 4_000);
  expect(clock.read(key('b'), 5_000)).toMatchObject({ leaseRemainingMs: 18_000, revision: '3 then' });
  expect(clock.read(key('b'), 30_000)).toMatchObject({ leaseRemainingMs: 0 });
});

test('a key without a name in it is held by nobody', () => {
  expect(new KeyClock().read(key('a', { holder: undefined }), 7)).toEqual({ state: 'none', sentAt: 7 });
});
