import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PgherdError, RefusedError } from '../../../lib/errors.ts';
import { CommandError, run } from '../../../lib/exec.ts';
import { progressOf } from './aptText.ts';
import type { ToolsReport } from './tools.ts';

const SCRIPT = resolve(import.meta.dirname, 'asRoot.sh');
const LAUNCHER = resolve(import.meta.dirname, '../../../../pgherd');
/** How long somebody else's apt is waited for. */
const LOCK_SECONDS = 300;
const ACTION_MS = 30 * 60_000;
const LOG_POLL_MS = 300;
const DETAIL_LINES = 15;

/** What to put before a command so that it runs as root: nothing, or sudo. Undefined when there is no way. */
export async function waysToRoot(signal: AbortSignal): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  try {
    await run(['sudo', '-n', 'true'], { signal, timeoutMs: 10_000 });
    return ['sudo', '-n'];
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Says what is missing and gives one line to copy. */
export function refuseWithoutRoot(report: ToolsReport): RefusedError {
  const launcher = /^[\w@%+=:,./-]+$/.test(LAUNCHER) ? LAUNCHER : `'${LAUNCHER.replaceAll("'", `'\\''`)}'`;
  const major = report.majorWanted === undefined ? '' : ` --postgres ${report.majorWanted}`;
  return new RefusedError({
    code: 'root-needed',
    message:
      report.missing.length === 0
        ? 'an installation is under way or was killed; finishing it takes root'
        : `not installed: ${report.missing.map(tool => tool.tool).join(', ')}; installing takes root`,
    hint: `sudo ${launcher} setup${major}`,
  });
}

/** Runs the actions of asRoot.sh, with progress from its log. */
export class RootRunner {
  private readonly way: readonly string[];
  private readonly log: string;
  private readonly onProgress: (message: string) => void;

  constructor(way: readonly string[], log: string, onProgress: (message: string) => void) {
    this.way = way;
    this.log = log;
    this.onProgress = onProgress;
  }

  /** Rejects with a PgherdError that quotes the end of the log. What has begun to change the machine ends before an abort shows. */
  async run(
    action: 'update' | 'download' | 'install' | 'finish',
    packages: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const argv = [...this.way, '/bin/sh', SCRIPT, action, this.log, String(LOCK_SECONDS), ...packages];
    const done = new AbortController();
    const following = this.follow(done.signal);
    const patience = (): void => this.onProgress("finishing Debian's installation first");
    const mustEnd = action === 'install' || action === 'finish';
    if (mustEnd) signal.addEventListener('abort', patience, { once: true });
    try {
      await run(argv as [string, ...string[]], {
        signal: mustEnd ? new AbortController().signal : signal,
        timeoutMs: ACTION_MS,
        // A Ctrl-C in the terminal is for us; dpkg must not be torn apart by it.
        detached: true,
      });
    } catch (error) {
      if (error instanceof CommandError) throw await this.explain(error, action);
      throw error;
    } finally {
      signal.removeEventListener('abort', patience);
      done.abort();
      await following;
    }
    signal.throwIfAborted();
  }

  /** Whether the log of this set-up contains something. */
  async logMentions(pattern: RegExp): Promise<boolean> {
    return pattern.test(await readFile(this.log, 'utf8'));
  }

  private async explain(error: CommandError, action: string): Promise<PgherdError> {
    const text = await readFile(this.log, 'utf8').catch(() => '');
    const locked = error.exitCode === 75 || /Could not get lock/.test(text.slice(-2000));
    return new PgherdError({
      code: locked ? 'package-lock-held' : 'packages-not-installed',
      message: locked
        ? `another program held the lock of Debian's packages for more than ${LOCK_SECONDS} s`
        : `apt-get could not finish (${action}); its output is in ${this.log}`,
      detail: text.trimEnd().split('\n').slice(-DETAIL_LINES).join('\n') || error.detail,
      hint: /dpkg --configure -a/.test(text) ? 'sudo dpkg --configure -a' : undefined,
      cause: error,
    });
  }

  /** Reports what is appended to the log until `done`. The log, not a pipe: the script outlives us if need be. */
  private async follow(done: AbortSignal): Promise<void> {
    const file = await open(this.log, 'r');
    try {
      let rest = '';
      let last: string | undefined;
      const { size } = await file.stat();
      let position = size;
      const buffer = Buffer.alloc(64 * 1024);
      while (!done.aborted) {
        await pause(LOG_POLL_MS, done);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        position += bytesRead;
        const lines = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
        rest = lines.pop() ?? '';
        const message = lines.flatMap(line => progressOf(line) ?? []).at(-1);
        if (message !== undefined && message !== last) this.onProgress(message);
        last = message ?? last;
      }
    } finally {
      await file.close();
    }
  }
}

function pause(milliseconds: number, until: AbortSignal): Promise<void> {
  return new Promise(done => {
    const end = (): void => {
      clearTimeout(timer);
      until.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, milliseconds);
    until.addEventListener('abort', end, { once: true });
    if (until.aborted) end();
  });
}
