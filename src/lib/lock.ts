import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { codeOf, PgherdError } from './errors.ts';
import { readIfExists, writeAtomically } from './files.ts';
import { lockHolder, startTimeOf } from './process.ts';
import { sleep } from './time.ts';

/** Somebody else holds the lock. */
export class LockedError extends PgherdError {}

export interface LockOptions {
  /** What the holder does, for the message that others get. */
  operation: string;
  /** Path of util-linux' flock. */
  flock: string;
  waitMs: number;
  signal: AbortSignal;
  onWait?: ((holder: string) => void) | undefined;
}

/**
 * The operation that holds the lock; undefined: none does. At once, as a rule: the kernel's list of locks is asked only
 * where somebody may hold it, for the kernel waits for all processors then (10 to 20 ms, measured).
 */
export async function lockedFor(path: string): Promise<string | undefined> {
  const holder = holderOf(path);
  const pid = Number(/\(pid (\d+),/.exec(holder)?.[1]);
  if (!(pid > 0) || (await startTimeOf(pid)) === undefined) return undefined;
  return (await lockHolder(path)) === undefined ? undefined : holder.split(' ')[0];
}

/** The name of a file that is not there is in memory, as a rule; a turn of another thread took 10 ms while a server died. */
function holderOf(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/**
 * Takes an exclusive kernel lock on a file. A small child holds it (`flock FILE cat`) and ends when our end of
 * its standard input closes, so that kill -9 of this process frees the lock as well; Node has no flock of its own.
 * Rejects with LockedError, which names the holder, when it is not free within `waitMs`.
 */
export async function takeLock(path: string, options: LockOptions): Promise<AsyncDisposable> {
  const until = Date.now() + options.waitMs;
  let told = false;
  for (;;) {
    const child = spawn(options.flock, ['--nonblock', '--exclusive', path, 'cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    child.stdin.on('error', () => {});
    const exited = once(child, 'exit');
    exited.catch(() => {});
    // cat echoes: an answer proves that flock got the lock and started it.
    child.stdin.write('locked\n');
    const held = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      exited.then(() => false),
      once(child, 'error').then(([error]) => Promise.reject(error)),
    ]);
    if (held) {
      const holder = `${options.operation} (pid ${process.pid}, since ${new Date().toISOString()})`;
      await writeAtomically(`${path}.holder`, holder, { mode: 0o644 });
      return {
        async [Symbol.asyncDispose]() {
          try {
            // Not the name of another, where the directory was replaced meanwhile.
            if ((await readIfExists(`${path}.holder`)) === holder)
              await rm(`${path}.holder`, { force: true });
          } finally {
            child.stdin.end();
            await exited;
          }
        },
      };
    }
    const holder = (await readIfExists(`${path}.holder`)) ?? 'another pgherd';
    if (Date.now() >= until) {
      throw new LockedError({
        code: 'locked',
        message: `the cluster is being changed by: ${holder}`,
        hint: 'wait until it is done, or give --timeout to wait longer',
      });
    }
    if (!told) options.onWait?.(holder);
    told = true;
    await sleep(200, options.signal);
  }
}
