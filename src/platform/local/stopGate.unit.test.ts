import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beforeStopScript, shutStopGate } from './stopGate.ts';

const call = promisify(execFile);

describe('what Patroni calls before it ends PostgreSQL', () => {
  let dir: string;
  const stop = () => call('sh', ['-c', beforeStopScript(dir)]);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pgherd gate '));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  it('waits for nobody when nobody is there', async () => {
    await stop();
    expect(await readdir(dir)).toEqual([]);
  });

  it('tells whoever shut the gate, and goes on when it is opened', async () => {
    const gate = await shutStopGate(dir);
    let stopped = false;
    const stopping = stop().then(() => {
      stopped = true;
    });
    await gate.reached;
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(stopped).toBe(false);
    await gate[Symbol.asyncDispose]();
    await stopping;
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes on when whoever shut the gate has died, and leaves it open for the next', async () => {
    await shutStopGate(dir);
    await stop();
    expect(await readdir(dir)).not.toContain('stop-gate');
    // What is left of it is nobody's answer to the next.
    const next = await shutStopGate(dir);
    const first = await Promise.race([
      next.reached,
      new Promise(resolve => setTimeout(resolve, 100, 'nobody yet')),
    ]);
    expect(first).toBe('nobody yet');
    await next[Symbol.asyncDispose]();
  }, 15_000);

  it('does not wait for a gate that was forgotten long ago', async () => {
    await shutStopGate(dir);
    const before = new Date(Date.now() - 180_000);
    await utimes(join(dir, 'stop-gate'), before, before);
    await writeFile(join(dir, 'other'), '');
    await stop();
    expect(await readdir(dir)).toEqual(['other', 'stop-gate']);
  });
});
