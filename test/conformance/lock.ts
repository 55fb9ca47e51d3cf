import { describe, expect } from 'vitest';
import { needs, type Shared, soon } from './platform.ts';

/** One change at a time, whoever makes it. */
export function lockTests({ platform, cluster, ref, traits }: Shared): void {
  const commanded = needs(traits, 'commanded');
  describe('the lock', () => {
    commanded('is held once; who gives up is told by whom, and who waits gets it', async () => {
      using other = await platform().open(ref(), soon());
      const first = await cluster().lock('first operation', { waitMs: 0, signal: soon() });
      const refused = await other
        .lock('second', { waitMs: 0, signal: soon() })
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'LockedError', code: 'locked' });
      expect(String(refused)).toContain('first operation');

      const holders: string[] = [];
      const onWait = (holder: string) => void holders.push(holder);
      let got = false;
      const waiting = other.lock('second', { waitMs: 20_000, signal: soon(), onWait }).then(lock => {
        got = true;
        return lock;
      });
      await expect.poll(() => holders.length, { timeout: 5000 }).toBe(1);
      expect(holders[0]).toContain('first operation');
      expect(got).toBe(false);
      await first[Symbol.asyncDispose]();
      await using _second = await waiting;
      expect(got).toBe(true);
    });

    commanded('is free again afterwards, and can be given back twice', async () => {
      const lock = await cluster().lock('again', { waitMs: 0, signal: soon() });
      await lock[Symbol.asyncDispose]();
      await lock[Symbol.asyncDispose]();
      await using _next = await cluster().lock('next', { waitMs: 2000, signal: soon() });
    });

    commanded('waits no longer when it is aborted', async () => {
      await using _held = await cluster().lock('held', { waitMs: 0, signal: soon() });
      using other = await platform().open(ref(), soon());
      const controller = new AbortController();
      const gone = new Error('enough');
      const waiting = other.lock('aborted', { waitMs: 60_000, signal: controller.signal, onWait: abort });
      const started = performance.now();
      await expect(waiting).rejects.toBe(gone);
      expect(performance.now() - started).toBeLessThan(3000);
      function abort(): void {
        controller.abort(gone);
      }
    });
  });
}
