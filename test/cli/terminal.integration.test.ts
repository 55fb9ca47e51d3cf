/** What only a real process shows: pipes that close, terminals, signals, and the time it takes to start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.ts';
import { ROOT } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { integration, type Sandbox, useSandbox } from '../support/sandbox.ts';

const PGHERD = `${ROOT}pgherd`;

interface Shell {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a line of shell, in which `$PGHERD` is the program. */
async function shell(sandbox: Sandbox, line: string, env: Record<string, string> = {}): Promise<Shell> {
  const child = spawn('bash', ['-c', line], { env: { ...sandbox.env, PGHERD, ...env }, timeout: 120_000 });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', text => {
    texts.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    texts.stderr += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, ...texts };
}

describe('without a cluster', () => {
  const sandbox = useSandbox();

  it('help is there at once', async () => {
    await shell(sandbox, '$PGHERD --help');
    const started = performance.now();
    const { stdout, exitCode } = await shell(sandbox, '$PGHERD --help');
    // 0.15 s on a machine with nothing else to do; the test shares its own.
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: pgherd');
  });

  it('suggests commands by the way it was called', async () => {
    expect((await shell(sandbox, 'cd "$(dirname "$PGHERD")" && ./pgherd list')).stdout).toContain(
      './pgherd up FILE',
    );
    expect((await shell(sandbox, 'cd / && $PGHERD list')).stdout).toContain(`${PGHERD} up FILE`);
    const named = await shell(sandbox, 'PATH="$(dirname "$PGHERD"):$PATH" pgherd list');
    expect(named.stdout).toContain('Create one: pgherd up FILE');
  });

  it('reads a manifest from a pipe, and reports its errors in one go', async () => {
    const { exitCode, stderr } = await shell(sandbox, 'echo "kind: x" | $PGHERD plan -');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^stdin:1:7: error: kind/m);
    expect(stderr).toMatch(/^stdin:1:1: error: apiVersion/m);
  });
});

integration('with a cluster', sandbox => {
  const cluster = new Cluster(sandbox, 'tty');
  let file: string;

  beforeAll(async () => {
    file = sandbox.file('tty.yaml', manifest({ name: 'tty' }));
    await cluster.up(file);
  });

  it('ends quietly when the reader of its output has seen enough', async () => {
    const { stdout, stderr, exitCode } = await shell(sandbox, 'set -o pipefail; $PGHERD logs tty | head -1');
    expect(stdout).toMatch(/^\S+Z .*\n$/);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const line = 'set -o pipefail; timeout 30 $PGHERD logs tty -f --tail 3 | head -2';
    const followed = await shell(sandbox, line);
    expect(followed.stdout.trim().split('\n')).toHaveLength(2);
    expect(followed.exitCode).toBe(0);
  });

  it('hands the terminal to psql, whose exit code is its own', async () => {
    const typed = await shell(sandbox, `echo "select 'it works'" | $PGHERD psql tty -- -At`);
    expect(typed).toMatchObject({ exitCode: 0, stdout: 'it works\n' });
    expect(await shell(sandbox, "$PGHERD psql tty -- -c 'select 1/0'")).toMatchObject({ exitCode: 1 });
    const admin = await shell(sandbox, "$PGHERD psql tty --admin -- -Atc 'select current_user'");
    expect(admin.stdout).toBe('postgres\n');
    // The caller's environment must not lead it elsewhere.
    const led = await shell(sandbox, "$PGHERD psql tty -- -Atc 'select 1'", {
      PGHOST: 'nowhere',
      PGSSLMODE: 'disable',
    });
    expect(led.stdout).toBe('1\n');
  });

  it('shows no password in the arguments of psql', async () => {
    const password = await cluster.password('bauer');
    const line =
      '$PGHERD psql tty -- -c "select pg_sleep(3)" & sleep 2; cat /proc/*/cmdline 2>/dev/null | tr "\\0" " "; wait';
    expect((await shell(sandbox, line)).stdout).not.toContain(password);
  });

  it('gives an environment that other programs connect with', async () => {
    const line =
      'eval "$($PGHERD url tty --env)" && $(ls -d /usr/lib/postgresql/*/bin | tail -1)/psql -Atc "select current_user"';
    expect((await shell(sandbox, line)).stdout).toBe('bauer\n');
  });

  it('draws on a terminal and ends with Ctrl-C', async () => {
    // script gives its command a terminal of its own and passes the end on.
    const line = `script -qec "timeout --foreground -s INT 4 ${PGHERD} status tty --watch" /dev/null`;
    const { stdout } = await shell(sandbox, line);
    expect(stdout).toContain('\u001b[H');
    expect(stdout).toContain('tty');
    expect(stdout).toContain('Ctrl-C ends');
    expect(stdout).not.toContain('error');
  });

  it('watch prints a line per change into a pipe', async () => {
    const watch = sandbox.start(['status', 'tty', '--watch']);
    await delay(3_000);
    expect((await sandbox.run(['restart', 'tty'])).exitCode).toBe(0);
    await delay(3_000);
    watch.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await watch.finished;
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/^\S+Z {2}healthy: /);
    expect(stderr).toBe('');
  });

  it('an interrupted `up` says how to go on, and the next one does', async () => {
    expect((await sandbox.run(['down', 'tty'])).exitCode).toBe(0);
    const up = sandbox.start(['up', file]);
    await expect.poll(() => up.stderr(), { timeout: 20_000 }).toContain('start');
    up.child.kill('SIGINT');
    const { exitCode, stderr } = await up.finished;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/error: interrupted\nhint: what was done so far stays/);
    expect(await cluster.up(file)).toMatchObject({ created: false, verdict: 'healthy' });
  });
});
