import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { CommandError, type RunOptions, run } from './exec.ts';

const never = new AbortController().signal;
const base: RunOptions = { signal: never, timeoutMs: 10_000 };
const sh = (script: string) => ['/bin/sh', '-c', script] as const;

async function failure(promise: Promise<unknown>): Promise<CommandError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
}

describe('run', () => {
  it('gives code and both outputs', async () => {
    const result = await run(sh('echo out; echo err >&2; exit 3'), { ...base, okCodes: [0, 3] });
    expect(result).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n', truncated: false });
    expect(result.durationMs).toBeGreaterThan(0);
  });

  it('starts no shell: arguments arrive as they are', async () => {
    const result = await run(['/bin/echo', '$HOME', 'a b', "'"], base);
    expect(result.stdout).toBe("$HOME a b '\n");
  });

  it('writes input, and survives a child that does not read it', async () => {
    expect((await run(['/bin/cat'], { ...base, input: 'héllo' })).stdout).toBe('héllo');
    expect((await run(['/bin/true'], { ...base, input: 'x'.repeat(1_000_000) })).code).toBe(0);
  });

  it('takes environment and working directory', async () => {
    const result = await run(sh('pwd; echo $WHO'), { ...base, cwd: '/', env: { WHO: 'me' } });
    expect(result.stdout).toBe('/\nme\n');
  });

  it('reports an exit code with the last lines of stderr', async () => {
    const error = await failure(run(sh('for i in $(seq 30); do echo line $i >&2; done; exit 7'), base));
    expect(error).toMatchObject({ reason: 'exit', code: 'command-exit', exitCode: 7 });
    expect(error.detail?.split('\n').at(0)).toBe('line 16');
    expect(error.detail?.split('\n').at(-1)).toBe('line 30');
  });

  it('reports a missing program, one that may not be run, and a death by signal', async () => {
    expect(await failure(run(['/no/such/program'], base))).toMatchObject({ reason: 'not-found' });
    expect(await failure(run(['/etc/passwd'], base))).toMatchObject({ reason: 'not-started' });
    const killed = await failure(run(sh('kill -KILL $$'), base));
    expect(killed).toMatchObject({ reason: 'signal', exitCode: undefined });
    expect(killed.message).toContain('SIGKILL');
  });

  it('ends a child at the deadline, by KILL if it ignores TERM', async () => {
    const started = Date.now();
    const error = await failure(
      run(sh('trap "" TERM; echo on >&2; while :; do sleep 0.05; done'), {
        ...base,
        timeoutMs: 200,
        killGraceMs: 100,
      }),
    );
    expect(error).toMatchObject({ reason: 'timeout', detail: 'on' });
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it('rejects with the reason of the abort, and leaves no listener', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = run(['/bin/sleep', '20'], { ...base, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await expect(run(['/bin/true'], { ...base, signal: controller.signal })).rejects.toBe(reason);
  });

  it('ends the whole group of a detached child', async () => {
    const script = 'sleep 20 & echo $!; wait';
    const error = await failure(run(sh(script), { ...base, detached: true, timeoutMs: 300 }));
    const grandchild = Number(error.stdout);
    expect(grandchild).toBeGreaterThan(1);
    await expect.poll(() => isRunning(grandchild)).toBe(false);
  });

  it('does not wait for a daemon that holds the pipes', async () => {
    const started = Date.now();
    const result = await run(sh('sleep 5 & echo started'), base);
    expect(result.stdout).toBe('started\n');
    expect(Date.now() - started).toBeLessThan(3_000);
  });

  it('keeps the start of stdout and the end of stderr within the limit', async () => {
    const script = 'printf 0123456789; printf 0123456789 >&2';
    const result = await run(sh(script), { ...base, maxOutputBytes: 4 });
    expect(result).toMatchObject({ stdout: '0123', stderr: '6789', truncated: true });
  });

  it('shows no secret, not even one the program repeats', async () => {
    const secret = 'hunter2 with spaces';
    const argv = ['/bin/sh', '-c', 'echo "bad: $1" >&2; exit 1', 'sh', { secret }] as const;
    const error = await failure(run(argv, base));
    expect(error.detail).toBe('bad: ***');
    expect(JSON.stringify({ ...error, text: error.stack })).not.toContain('hunter2');
    const missing = await failure(run(['/no/such', { secret }], base));
    expect(`${missing.stack}${String(missing.cause)}`).not.toContain('hunter2');
  });

  it('streams output for progress', async () => {
    const seen: string[] = [];
    await run(sh('echo a; echo b >&2'), {
      ...base,
      onOutput: (text, stream) => seen.push(`${stream}:${text}`),
    });
    expect(seen.sort()).toEqual(['stderr:b\n', 'stdout:a\n']);
  });
});

/** A zombie counts as ended: PID 1 of a container may take its time to reap it. */
async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}
