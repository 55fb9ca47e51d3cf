/** A run of the real program as a subprocess. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CommandResult {
  argv: readonly string[];
  /** null when it was killed. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

export interface CommandOptions {
  env: Record<string, string>;
  cwd: string;
  input?: string | undefined;
  /** It is killed then, and the result says so. */
  timeoutMs: number;
}

/** A command that runs. */
export interface Running {
  child: ChildProcess;
  /** Its own standard error so far. */
  stderr(): string;
  finished: Promise<CommandResult>;
}

/** Starts a program and collects what it prints. Never rejects for what the program does. */
export function start(argv: readonly [string, ...string[]], options: CommandOptions): Running {
  const [program, ...args] = argv;
  const started = performance.now();
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const timer = setTimeout(() => {
    texts.stderr += `\n[killed by the test after ${options.timeoutMs} ms]`;
    child.kill('SIGKILL');
  }, options.timeoutMs);
  const finished = once(child, 'close')
    .finally(() => clearTimeout(timer))
    .then(([exitCode]: number[]) => ({
      argv,
      exitCode: exitCode ?? null,
      ...texts,
      milliseconds: performance.now() - started,
    }));
  return { child, finished, stderr: () => texts.stderr };
}

/** What stands in an assertion's message. */
export function explain({ argv, exitCode, stdout, stderr }: CommandResult): string {
  return `${argv.join(' ')}\nexit code ${exitCode}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`;
}
