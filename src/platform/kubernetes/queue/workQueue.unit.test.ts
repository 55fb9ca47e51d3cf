import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff } from './backoff.ts';
import { WorkQueue } from './workQueue.ts';

const TIMING = { baseMs: 1000, maxMs: 60_000 };

test('a key added while it is worked on comes once more, and never twice at a time', () => {
  const queue = new WorkQueue(TIMING);
  queue.add('a', 0);
  expect(queue.take(0)).toBe('a');
  queue.add('a', 1);
  queue.add('a', 2);
  expect(queue.take(5)).toBeUndefined();
  queue.finish('a', { kind: 'done', againMs: undefined }, 5, 0);
  expect(queue.take(5)).toBe('a');
  queue.finish('a', { kind: 'done', againMs: undefined }, 6, 0);
  expect(queue.take(100_000)).toBeUndefined();
  expect(queue.length).toBe(0);
});

test('failures push a key back, longer each time, and success forgets them', () => {
  const queue = new WorkQueue(TIMING);
  const pauses: number[] = [];
  let now = 0;
  queue.add('a', now);
  for (let n = 0; n < 8; n++) {
    expect(queue.take(now)).toBe('a');
    queue.finish('a', { kind: 'failed' }, now, 0.999);
    const pause = queue.nextIn(now) ?? 0;
    pauses.push(pause);
    now += pause;
  }
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses[0]).toBeLessThanOrEqual(1000);
  expect(pauses.at(-1)).toBeLessThanOrEqual(60_000);
  expect(pauses.at(-1)).toBeGreaterThan(30_000);
  queue.take(now);
  queue.finish('a', { kind: 'done', againMs: 10 }, now, 0);
  expect(queue.nextIn(now)).toBe(10);
});

test('a key that fails and changes all the time is not tried more often than the base', () => {
  const queue = new WorkQueue(TIMING);
  queue.add('a', 0);
  queue.take(0);
  queue.finish('a', { kind: 'failed' }, 0, 0);
  queue.add('a', 1);
  expect(queue.take(400)).toBeUndefined();
  expect(queue.nextIn(1)).toBeLessThanOrEqual(1000);
});

test('backoff stays between half and all of its step', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
      const pause = backoff(failures, TIMING, random);
      const full = Math.min(60_000, 1000 * 2 ** Math.min(failures, 30));
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    }),
  );
});

test('whatever happens, no key is lost, none is worked on twice at a time, and all is done in the end', () => {
  const command = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      delay: fc.nat(5000),
    }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('finish' as const), failed: fc.boolean() }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), commands => {
      const queue = new WorkQueue(TIMING);
      const working: string[] = [];
      /** Keys that were added and not taken since. */
      const owed = new Set<string>();
      let now = 0;
      const take = () => {
        const key = queue.take(now);
        if (key === undefined) return false;
        expect(working).not.toContain(key);
        working.push(key);
        owed.delete(key);
        return true;
      };
      for (const item of commands) {
        if (item.kind === 'add') {
          queue.add(item.key, now, item.delay);
          owed.add(item.key);
        } else if (item.kind === 'take') take();
        else if (item.kind === 'wait') now += item.ms;
        else {
          const key = working.shift();
          if (key === undefined) continue;
          queue.finish(
            key,
            item.failed ? { kind: 'failed' } : { kind: 'done', againMs: undefined },
            now,
            0.5,
          );
        }
      }
      for (const key of working.splice(0)) queue.finish(key, { kind: 'done', againMs: undefined }, now, 0.5);
      for (let next = queue.nextIn(now); next !== undefined; next = queue.nextIn(now)) {
        now += next;
        while (take());
        for (const key of working.splice(0))
          queue.finish(key, { kind: 'done', againMs: undefined }, now, 0.5);
      }
      expect([...owed]).toEqual([]);
      expect(queue.length).toBe(0);
    }),
  );
});
