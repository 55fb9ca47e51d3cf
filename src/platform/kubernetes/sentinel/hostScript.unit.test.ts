import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST_SCRIPT, hostLookOf } from './hostScript.ts';

/** Stands for a postmaster with a child: two processes, the first of which bears the data directory in its words. */
const PARENT = 'sleep 60 & echo $!; wait';

describe('the shell in the container of a member', () => {
  let directory: string;
  let shell: ReturnType<typeof spawn>;
  let output = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pgherd-host-'));
    output = '';
    const env = { ...process.env, PGHOST: directory };
    shell = spawn('bash', ['-c', HOST_SCRIPT, 'pgherd', directory], { env });
    shell.stdout?.on('data', chunk => {
      output += String(chunk);
    });
  });

  afterEach(async () => {
    shell.stdin?.end();
    if (shell.exitCode === null) await once(shell, 'exit');
    await rm(directory, { recursive: true });
  });

  async function ask(word: string) {
    const lines = output.split('\n').length;
    shell.stdin?.write(`${word}\n`);
    while (output.split('\n').length === lines) await delay(10);
    return output.split('\n').at(-2) ?? '';
  }

  async function parent(words: string) {
    const process = spawn('bash', ['-c', PARENT, 'parent', words]);
    const [said] = await once(process.stdout, 'data');
    const ended = once(process, 'exit').then(([, signal]) => signal);
    await writeFile(join(directory, 'postmaster.pid'), `${process.pid}\n${directory}\n`);
    return { process, child: Number(String(said)), ended };
  }

  const runs = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('without a file there is no postmaster, and nothing to kill', async () => {
    expect(hostLookOf(await ask('look'))).toMatchObject({ process: 'gone' });
    expect(await ask('kill')).toBe('none');
  });

  it('kills a postmaster that stands still, and its child, which would live on', async () => {
    const { process, child, ended } = await parent(directory);
    process.kill('SIGSTOP');
    expect(hostLookOf(await ask('look'))).toMatchObject({ process: 'running' });
    expect(await ask('kill')).toBe('killed');
    expect(await ended).toBe('SIGKILL');
    const until = performance.now() + 2_000;
    while (runs(child) && performance.now() < until) await delay(10);
    expect(runs(child)).toBe(false);
    expect(hostLookOf(await ask('look'))).toMatchObject({ process: 'gone' });
  });

  it('leaves alone another process that has the number by now', async () => {
    const { process, child, ended } = await parent('/another/directory');
    expect(hostLookOf(await ask('look'))).toMatchObject({ process: 'gone' });
    expect(await ask('kill')).toBe('none');
    expect(runs(child)).toBe(true);
    for (const pid of [child, process.pid ?? 0]) globalThis.process.kill(pid, 'SIGKILL');
    await ended;
  });

  it('a login that finds nobody has failed, and says nothing of the commit', {
    timeout: 15_000,
  }, async () => {
    const logins = new Set<unknown>();
    const commits = new Set<unknown>();
    for (let left = 80; left > 0 && !logins.has(false); left -= 1) {
      const look = hostLookOf(await ask('try'));
      logins.add(look?.login);
      commits.add(look?.commit);
      await delay(100);
    }
    expect(logins).toContain(false);
    expect(logins).not.toContain(true);
    expect([...commits]).toEqual([undefined]);
  });
});

describe('its answers', () => {
  it('are read word by word', () => {
    const look = { process: 'running', login: false, commit: 'runs' };
    expect(hostLookOf('running no runs')).toEqual(look);
    expect(hostLookOf('gone - -')).toEqual({ process: 'gone', login: undefined, commit: undefined });
    expect(hostLookOf('running yes done')).toEqual({ process: 'running', login: true, commit: 'done' });
  });

  it('are nothing where they are something else', () => {
    for (const line of ['', 'hello', 'running', 'killed', 'running maybe -']) {
      expect(hostLookOf(line)).toBeUndefined();
    }
  });
});
