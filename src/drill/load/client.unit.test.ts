import { describe, expect, it } from 'vitest';
import { Gate } from './client.ts';

describe('the gate', () => {
  it('lets no more in than it should, and all of them in the end', async () => {
    const gate = new Gate(3);
    let inside = 0;
    let most = 0;
    const visits = Array.from({ length: 20 }, (_, n) =>
      gate.pass(async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise(resolve => setTimeout(resolve, 1));
        inside -= 1;
        return n;
      }),
    );
    expect(await Promise.all(visits)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect({ most, inside }).toEqual({ most: 3, inside: 0 });
  });

  it('gives the place of one that failed to the next', async () => {
    const gate = new Gate(1);
    const failed = gate.pass(() => Promise.reject(new Error('refused')));
    const next = gate.pass(async () => 'in');
    await expect(failed).rejects.toThrow('refused');
    expect(await next).toBe('in');
  });
});
