import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  allProcesses,
  type FoundProcess,
  identify,
  send,
  untilGone,
  withDescendants,
  withoutOurselves,
} from './processes.ts';

describe('families', () => {
  const one = (pid: number, parent: number): FoundProcess => ({ pid, parent, startTime: '1', title: '' });
  const all = [one(10, 1), one(11, 10), one(12, 11), one(20, 1), one(21, 20)];

  it('are a process and all below it, each once', () => {
    const pids = (roots: number[]) => withDescendants(roots, all).map(({ pid }) => pid);
    expect(pids([10])).toEqual([10, 11, 12]);
    expect(pids([11, 10, 21])).toEqual([10, 11, 21, 12]);
    expect(pids([99])).toEqual([]);
  });

  it('never hold this process or those above it', async () => {
    const found = await allProcesses();
    const left = withoutOurselves(found, found).map(({ pid }) => pid);
    expect(left).not.toContain(process.pid);
    expect(left).not.toContain(process.ppid);
  });
});

describe('signals', () => {
  const signal = AbortSignal.timeout(20_000);

  it('reach the process that is meant, and no later one with its number', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    try {
      await once(child, 'spawn');
      const id = await identify(child.pid);
      if (id === undefined) throw new Error('the child is gone');
      expect(await send([{ ...id, startTime: '0' }], 'SIGKILL')).toBe(0);
      expect(await send([id], 'SIGSTOP')).toBe(1);
      await expect.poll(() => readFileSync(`/proc/${id.pid}/stat`, 'utf8').split(' ')[2]).toBe('T');
      expect(await send([id], 'SIGKILL')).toBe(1);
      await untilGone([id], 'the child to be dead', signal);
      await exited;
      expect(await send([id], 'SIGKILL')).toBe(0);
      expect(await identify(id.pid)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
