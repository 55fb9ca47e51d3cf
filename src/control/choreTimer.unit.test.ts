import { describe, expect, test } from 'vitest';
import type { PlatformCluster } from '../platform/contract.ts';
import { ChoreTimer } from './choreTimer.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A timer over a memory that says when to look again, and the runs that it begins. */
function rig(look: Date | undefined) {
  const document = { schema: 1, lines: {}, runs: {}, look: look?.toISOString() };
  const ends: ((error?: Error) => void)[] = [];
  const reports: string[] = [];
  const cluster = {
    ref: { name: 'demo', namespace: 'default' },
    backups: { memory: { read: async () => document, write: async () => {} } },
  } as unknown as PlatformCluster;
  const run = () =>
    new Promise<void>((resolve, reject) => {
      ends.push(error => (error === undefined ? resolve() : reject(error)));
    });
  const timer = new ChoreTimer(cluster, run, new AbortController().signal, line => reports.push(line));
  const start = Date.now();
  return {
    document,
    reports,
    runs: () => ends.length,
    at: (milliseconds: number) => timer.look(new Date(start + milliseconds)),
    async end(error?: Error) {
      ends.at(-1)?.(error);
      await new Promise(resolve => setTimeout(resolve, 5));
    },
  };
}

describe('the backup work of a cluster', () => {
  test('is not begun while the cluster is being made', async () => {
    const timer = rig(undefined);
    await timer.at(0);
    await timer.at(1.9 * MINUTE);
    expect(timer.runs()).toBe(0);
    await timer.at(2 * MINUTE);
    expect(timer.runs()).toBe(1);
  });

  test('is looked at soon by a control plane that was started anew, whatever the last one has noted', async () => {
    const timer = rig(new Date(Date.now() + DAY));
    await timer.at(0);
    expect(timer.runs()).toBe(0);
    await timer.at(15_000);
    expect(timer.runs()).toBe(1);
  });

  test('is begun once at a time, and then when the memory says', async () => {
    const timer = rig(new Date());
    await timer.at(0);
    await timer.at(15_000);
    await timer.at(30 * MINUTE);
    expect(timer.runs()).toBe(1);
    timer.document.look = new Date(Date.now() + 40 * MINUTE).toISOString();
    await timer.end();
    await timer.at(39 * MINUTE);
    expect(timer.runs()).toBe(1);
    await timer.at(40 * MINUTE + 1000);
    expect(timer.runs()).toBe(2);
  });

  test('that ended badly is told, and not begun again at once', async () => {
    const timer = rig(new Date());
    await timer.at(0);
    await timer.at(15_000);
    await timer.end(new Error('no more memory'));
    expect(timer.reports).toEqual(['no more memory']);
    await timer.at(4 * MINUTE);
    expect(timer.runs()).toBe(1);
    await timer.at(6 * MINUTE);
    expect(timer.runs()).toBe(2);
  });

  test('does not wait for a look years ahead: the clock was set back', async () => {
    const timer = rig(new Date());
    await timer.at(0);
    await timer.at(15_000);
    timer.document.look = new Date(Date.now() + 400 * DAY).toISOString();
    await timer.end();
    await timer.at(5 * MINUTE);
    expect(timer.runs()).toBe(2);
  });
});
