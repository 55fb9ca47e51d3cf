import { type ChildProcess, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { type ErrorFacts, PgherdError } from './errors.ts';

/** One element of an argument vector. A `secret` reaches the program, but no message, detail or log of ours. */
export type Argument = string | { readonly secret: string };

export interface RunOptions {
  /** Aborting kills the child: TERM, then KILL after `killGraceMs`. The promise then rejects with the signal's reason. */
  signal: AbortSignal;
  /** Deadline for the whole run; the child is killed like on abort. */
  timeoutMs: number;
  /** Replaces the environment as a whole; the default is this process's own. */
  env?: Record<string, string | undefined> | undefined;
  cwd?: string | undefined;
  /** Written to standard input, which is closed then. Without it standard input is empty. */
  input?: string | Uint8Array | undefined;
  /** Exit codes that are results, not errors. Default: 0 only. */
  okCodes?: readonly number[] | undefined;
  /** Run as this user and group (needs root). */
  uid?: number | undefined;
  gid?: number | undefined;
  /** Give the child a session of its own, so that a Ctrl-C in the terminal does not reach it. */
  detached?: boolean | undefined;
  /** Called with decoded output as it arrives, for progress. */
  onOutput?: ((text: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** Time between TERM and KILL. Default: 3 s. */
  killGraceMs?: number | undefined;
  /** Bytes kept of each of stdout and stderr: of stdout the first, of stderr the last. Default: 10 MiB. */
  maxOutputBytes?: number | undefined;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
  durationMs: number;
  /** stdout was longer than `maxOutputBytes`, and its end is missing. */
  truncated: boolean;
}

/** Why a command did not give a result. */
export type CommandFailure = 'exit' | 'signal' | 'timeout' | 'not-found' | 'not-started';

/** A command that ended otherwise than expected. `detail` holds the last lines of its stderr (else stdout). */
export class CommandError extends PgherdError {
  readonly reason: CommandFailure;
  /** The command as it may be shown: secrets replaced by `***`. */
  readonly command: string;
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    facts: Omit<ErrorFacts, 'code'> & {
      reason: CommandFailure;
      command: string;
      exitCode?: number | undefined;
      stdout?: string;
      stderr?: string;
    },
  ) {
    super({ ...facts, code: `command-${facts.reason}` });
    this.reason = facts.reason;
    this.command = facts.command;
    this.exitCode = facts.exitCode;
    this.stdout = facts.stdout ?? '';
    this.stderr = facts.stderr ?? '';
  }
}

const DEFAULT_GRACE_MS = 3_000;
const DEFAULT_MAX_OUTPUT = 10 * 1024 * 1024;
const DETAIL_LINES = 15;
/** How long output may still flow after the child's exit, when a grandchild holds the pipes open. */
const DRAIN_MS = 250;

/**
 * Runs one program to its end, without a shell.
 * Rejects with the signal's reason when aborted, with CommandError when the program cannot be started, exits
 * with a code not in `okCodes`, dies of a signal, or is still running at `timeoutMs`. When the promise
 * settles the child has exited; what it may have left running in the background is not followed.
 */
export async function run(argv: readonly [Argument, ...Argument[]], options: RunOptions): Promise<RunResult> {
  const { signal, timeoutMs } = options;
  signal.throwIfAborted();
  const [program, ...args] = argv.map(plain) as [string, ...string[]];
  const hide = redactor(argv);
  const command = argv.map(shown).join(' ');
  const started = performance.now();
  const limit = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;

  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
    detached: options.detached ?? false,
    ...(options.env && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
  });
  const stdout = new Collector(limit, 'first');
  const stderr = new Collector(limit, 'last');
  listen(child, stdout, stderr, options.onOutput);
  // A child that does not read its input to the end is not our error; its exit code says how it fared.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  const end = await settle(child, options);

  const result = {
    stdout: stdout.text(),
    stderr: stderr.text(),
    durationMs: performance.now() - started,
    truncated: stdout.truncated,
  };
  const fail = (reason: CommandFailure, message: string, cause?: unknown): CommandError =>
    new CommandError({
      reason,
      command,
      message,
      exitCode: end.code ?? undefined,
      detail: hide(lastLines(result.stderr) || lastLines(result.stdout)) || undefined,
      cause,
      stdout: hide(result.stdout),
      stderr: hide(result.stderr),
    });

  // The message of a spawn error carries the arguments, secrets too: only its code is passed on.
  if (end.error) {
    const code = (end.error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT') throw fail('not-found', `${program} was not found`);
    throw fail('not-started', `${program} could not be started (${code})`);
  }
  if (end.stopped === 'abort') throw signal.reason;
  if (end.stopped === 'timeout') {
    throw fail('timeout', `${command} did not end within ${(timeoutMs / 1000).toFixed(1)} s`);
  }
  if (end.code === null) throw fail('signal', `${command} was killed by ${end.killedBy}`);
  if (!(options.okCodes ?? [0]).includes(end.code)) {
    throw fail('exit', `${command} ended with exit code ${end.code}`);
  }
  return { code: end.code, ...result };
}

interface End {
  code: number | null;
  killedBy: NodeJS.Signals | null;
  error: Error | undefined;
  /** Why we killed it, if we did. The first reason wins. */
  stopped: 'abort' | 'timeout' | undefined;
}

/** Waits for the child's end, and kills it on abort or deadline. Leaves no timer or listener behind. */
function settle(child: ChildProcess, options: RunOptions): Promise<End> {
  const { signal, timeoutMs, killGraceMs = DEFAULT_GRACE_MS } = options;
  return new Promise(resolve => {
    let stopped: End['stopped'];
    let killTimer: NodeJS.Timeout | undefined;
    let drainTimer: NodeJS.Timeout | undefined;

    const stop = (why: 'abort' | 'timeout'): void => {
      if (stopped) return;
      stopped = why;
      killChild(child, 'SIGTERM', options.detached);
      killTimer = setTimeout(() => killChild(child, 'SIGKILL', options.detached), killGraceMs);
    };
    const onAbort = (): void => stop('abort');
    const deadline = setTimeout(() => stop('timeout'), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });

    const finish = (end: Omit<End, 'stopped'>): void => {
      clearTimeout(deadline);
      clearTimeout(killTimer);
      clearTimeout(drainTimer);
      signal.removeEventListener('abort', onAbort);
      resolve({ ...end, stopped });
    };
    child.once('error', error => finish({ code: null, killedBy: null, error }));
    child.once('close', (code, killedBy) => finish({ code, killedBy, error: undefined }));
    child.once('exit', (code, killedBy) => {
      clearTimeout(killTimer);
      // A daemon that the child started may hold the pipes for ever: "close" would never come.
      drainTimer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        finish({ code, killedBy, error: undefined });
      }, DRAIN_MS);
    });
  });
}

/** A detached child leads a group of its own, whose members would survive it otherwise. */
function killChild(child: ChildProcess, name: NodeJS.Signals, group = false): void {
  if (!group || child.pid === undefined) {
    child.kill(name);
    return;
  }
  // Once reaped, its number may be another's.
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // Gone in the meantime, which is what was wanted.
  }
}

function listen(
  child: ChildProcess,
  stdout: Collector,
  stderr: Collector,
  onOutput: RunOptions['onOutput'],
): void {
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  if (!onOutput) return;
  for (const name of ['stdout', 'stderr'] as const) {
    const decoder = new TextDecoder();
    child[name]?.on('data', (chunk: Buffer) => onOutput(decoder.decode(chunk, { stream: true }), name));
  }
}

/** Keeps at most `limit` bytes: the first ones (data is parsed from its start) or the last (errors stand at the end). */
class Collector {
  truncated = false;
  private chunks: Buffer[] = [];
  private size = 0;
  private readonly limit: number;
  private readonly keep: 'first' | 'last';

  constructor(limit: number, keep: 'first' | 'last') {
    this.limit = limit;
    this.keep = keep;
  }

  add(chunk: Buffer): void {
    if (this.keep === 'first') {
      const room = this.limit - this.size;
      if (chunk.length > room) this.truncated = true;
      if (room <= 0) return;
      const part = chunk.subarray(0, room);
      this.chunks.push(part);
      this.size += part.length;
      return;
    }
    this.chunks.push(chunk);
    this.size += chunk.length;
    // Cut only when twice the limit is reached, so that many small chunks cost no quadratic copying.
    if (this.size > 2 * this.limit) this.cut();
  }

  text(): string {
    if (this.size > this.limit) this.cut();
    return Buffer.concat(this.chunks).toString('utf8');
  }

  private cut(): void {
    const last = Buffer.concat(this.chunks).subarray(-this.limit);
    this.truncated = true;
    this.chunks = [last];
    this.size = last.length;
  }
}

function plain(argument: Argument): string {
  return typeof argument === 'string' ? argument : argument.secret;
}

function shown(argument: Argument): string {
  if (typeof argument !== 'string') return '***';
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** Programs like to repeat their arguments in their complaints. */
function redactor(argv: readonly Argument[]): (text: string) => string {
  const secrets = argv.flatMap(a => (typeof a === 'string' || a.secret === '' ? [] : [a.secret]));
  return text => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-DETAIL_LINES).join('\n');
}
