import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GONE_SCRIPT, POOLER_SCRIPT } from './script.ts';

/** Notes the signals that it gets, as PgBouncer would act on them. */
const NOTES = `echo "$2" >/proc/$$/comm; trap 'echo pause >>"$1"' USR1; trap 'echo resume >>"$1"' USR2; echo ready >"$1"; while :; do sleep 0.02; done`;

describe('the shell that pauses a pooler', () => {
  let directory: string;
  let name: string;
  let pooler: ReturnType<typeof spawn>;
  const noted = async () => (await readFile(join(directory, 'notes'), 'utf8').catch(() => '')).split('\n');
  const resumed = async (withinMs: number) => {
    const until = performance.now() + withinMs;
    while (!(await noted()).includes('resume') && performance.now() < until) await delay(20);
    return (await noted()).includes('resume');
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pgherd-hold-'));
    name = `pool-${randomBytes(4).toString('hex')}`;
    pooler = spawn('bash', ['-c', NOTES, 'pooler', join(directory, 'notes'), name], { stdio: 'ignore' });
    while (!(await noted()).includes('ready')) await delay(20);
  });

  afterEach(async () => {
    pooler.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });

  function shell(process = name) {
    const child = spawn('bash', ['-c', POOLER_SCRIPT, 'pgherd', directory, 'localhost', '1', process]);
    let output = '';
    child.stdout.on('data', chunk => {
      output += String(chunk);
    });
    const ask = async (word: string) => {
      const lines = output.split('\n').length;
      child.stdin.write(`${word}\n`);
      while (output.split('\n').length === lines) await delay(10);
      return output.split('\n').at(-2);
    };
    return { child, ask };
  }

  it('pauses, counts, and lets go on when told', async () => {
    const { child, ask } = shell();
    expect(await ask('hello')).toBe('hello');
    expect(await ask('hold 10')).toBe('held');
    expect(await ask('beat')).toBe('0');
    expect(await ask('go')).toBe('gone');
    expect(await resumed(2_000)).toBe(true);
    expect(await ask('hold 10')).toBe('held');
    child.stdin.end();
    await once(child, 'exit');
  });

  it("says so when there is no pooler, and then stands in nobody else's way", async () => {
    const blind = shell('no-such-pooler');
    expect(await blind.ask('hold 10')).toBe('none');
    const { child, ask } = shell();
    expect(await ask('hold 10')).toBe('held');
    expect(await ask('go')).toBe('gone');
    expect(await resumed(2_000)).toBe(true);
    blind.child.stdin.end();
    child.stdin.end();
  });

  it('of two that hold the last one lets go on', async () => {
    const [one, other] = [shell(), shell()];
    await one.ask('hold 10');
    await other.ask('hold 10');
    await one.ask('go');
    expect(await resumed(500)).toBe(false);
    other.child.stdin.end();
    expect(await resumed(2_000)).toBe(true);
    one.child.stdin.end();
  });

  it('lets go on when whoever holds has died', async () => {
    const { child, ask } = shell();
    await ask('hold 10');
    child.stdin.end();
    expect(await resumed(2_000)).toBe(true);
  });

  it('lets go on when no word comes, and when the time is up whatever comes', {
    timeout: 20_000,
  }, async () => {
    const silent = shell();
    await silent.ask('hold 10');
    expect(await resumed(500)).toBe(false);
    expect(await resumed(5_000)).toBe(true);
    await writeFile(join(directory, 'notes'), '');
    const busy = shell();
    await busy.ask('hold 1');
    const beats = setInterval(() => busy.child.stdin.write('beat\n'), 200);
    busy.child.stdin.on('error', () => {});
    expect(await resumed(5_000)).toBe(true);
    clearInterval(beats);
  });
});

describe('the shell that waits for the end of PostgreSQL', () => {
  it('answers when its pid file is gone, and ends when nobody listens any more', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pgherd-gone-'));
    await writeFile(join(directory, 'postmaster.pid'), '1');
    const child = spawn('bash', ['-c', GONE_SCRIPT, 'pgherd', directory]);
    child.stdin.write('gone\n');
    await delay(200);
    await rm(join(directory, 'postmaster.pid'));
    const [answer] = await once(child.stdout, 'data');
    expect(String(answer)).toBe('gone\n');
    await writeFile(join(directory, 'postmaster.pid'), '1');
    const other = spawn('bash', ['-c', GONE_SCRIPT, 'pgherd', directory]);
    other.stdin.end('gone\n');
    await once(other, 'exit');
    await rm(directory, { recursive: true });
  });
});
