import { describe, expect, it } from 'vitest';
import { Gate } from './gate.ts';
import { checkClients, isThisMachine } from './machine.ts';
import { firstTurn, nextTurn, rampDeadline, shares, threadsFor } from './pace.ts';

describe('pace', () => {
  const pace = { intervalMs: 500, clients: 300 };

  it('spreads the first turns over the interval', () => {
    const turns = Array.from({ length: 300 }, (_, i) => firstTurn(pace, i));
    expect(turns[0]).toBe(0);
    expect(turns.at(-1)).toBeLessThan(500);
    expect(new Set(turns).size).toBe(300);
  });

  it('keeps the beat however long an answer takes, and does not catch up', () => {
    expect(nextTurn(pace, 1_000, 1_020)).toBe(1_500);
    expect(nextTurn(pace, 1_000, 9_000)).toBe(9_000);
    expect(nextTurn({ intervalMs: 0, clients: 1 }, 1_000, 1_001)).toBe(1_001);
  });

  it('shares clients out among threads', () => {
    expect([1, 49, 101, 5_000].map(clients => threadsFor(clients, 8))).toEqual([1, 1, 3, 4]);
    expect(threadsFor(5_000, 2)).toBe(2);
    for (const [clients, threads] of [
      [1, 1],
      [10, 3],
      [4_999, 4],
    ] as const) {
      const parts = shares(clients, threads);
      expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(clients);
      for (const [i, part] of parts.entries())
        expect(part.first + part.count).toBe(parts[i + 1]?.first ?? clients);
    }
  });

  it('gives thousands of clients minutes to connect', () => {
    expect(rampDeadline(1)).toBeLessThan(20_000);
    expect(rampDeadline(5_000)).toBeGreaterThan(120_000);
  });
});

describe('gate', () => {
  it('lets so many through at a time, in order', async () => {
    const gate = new Gate(2);
    const entered: number[] = [];
    const exits = new Map<number, (tookMs: number) => void>();
    const all = Promise.all(
      Array.from({ length: 3_000 }, async (_, i) => {
        const leave = await gate.enter();
        entered.push(i);
        exits.set(i, leave);
      }),
    );
    await new Promise(setImmediate);
    expect(entered).toEqual([0, 1]);
    expect(gate.queued).toBe(2_998);
    for (let i = 0; i < 3_000; i++) {
      exits.get(i)?.(10);
      // Once is enough: a second call is nobody's turn.
      exits.get(i)?.(10);
      await Promise.resolve();
      await Promise.resolve();
      expect(entered.length).toBeLessThanOrEqual(i + 3);
    }
    await all;
    expect(entered).toEqual([...entered].sort((a, b) => a - b));
    expect(gate.queued).toBe(0);
  });

  it('gets narrower while attempts are slow, and wider while they are quick', async () => {
    const gate = new Gate(12);
    const attempt = async (tookMs: number): Promise<void> => (await gate.enter())(tookMs);
    for (let i = 0; i < 20; i++) await attempt(10);
    expect(gate.width).toBe(12);
    for (let i = 0; i < 5; i++) await attempt(1_200);
    expect(gate.width).toBe(7);
    for (let i = 0; i < 20; i++) await attempt(2_000);
    expect(gate.width).toBe(1);
    await attempt(300);
    expect(gate.width).toBe(1);
    await attempt(100);
    expect(gate.width).toBe(2);
  });
});

describe('limits of the machine', () => {
  it('refuses more clients than descriptors, with the command that helps', () => {
    const limits = { descriptors: 1_024, ports: 28_000 };
    expect(() => checkClients(800, limits)).not.toThrow();
    expect(() => checkClients(1_000, limits)).toThrow(/1150 file descriptors.*1024/);
    expect(() => checkClients(1_000, limits)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('ulimit -n 1150') }),
    );
  });

  it('refuses more clients than ports, and knows nothing where the system says nothing', () => {
    expect(() => checkClients(30_000, { descriptors: 1e6, ports: 28_000 })).toThrow(/local ports/);
    expect(() => checkClients(30_000, { descriptors: undefined, ports: undefined })).not.toThrow();
  });

  it('knows its own addresses', () => {
    expect(['127.88.8.1', '::1', 'localhost'].map(isThisMachine)).toEqual([true, true, true]);
    expect(isThisMachine('192.0.2.1')).toBe(false);
  });
});
