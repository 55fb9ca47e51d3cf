import { setTimeout as delay } from 'node:timers/promises';
import { DeadlineError } from './errors.ts';

/** Waits; rejects with the signal's reason when aborted. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** A signal that aborts with `signal`, and with a DeadlineError after `milliseconds`. */
export function withDeadline(
  signal: AbortSignal,
  what: string,
  milliseconds: number,
): AbortSignal & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DeadlineError(what, milliseconds)), milliseconds);
  const forward = () => controller.abort(signal.reason);
  if (signal.aborted) forward();
  else signal.addEventListener('abort', forward, { once: true });
  return Object.assign(controller.signal, {
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', forward);
    },
  });
}

export interface PollOptions {
  /** What is waited for, for the error: "etcd to elect a leader". */
  what: string;
  timeoutMs: number;
  /** Pause between two tries. */
  everyMs: number;
  signal: AbortSignal;
}

/**
 * Calls `attempt` until it returns something other than undefined. What an attempt throws counts as
 * "not yet" and stands as the cause of the DeadlineError, should the time run out.
 */
export async function poll<T>(
  attempt: (signal: AbortSignal) => Promise<T | undefined>,
  options: PollOptions,
): Promise<T> {
  using deadline = withDeadline(options.signal, options.what, options.timeoutMs);
  let last: unknown;
  for (;;) {
    try {
      const result = await attempt(deadline);
      if (result !== undefined) return result;
    } catch (error) {
      last = error;
    }
    if (options.signal.aborted) throw options.signal.reason;
    if (!deadline.aborted) await sleep(options.everyMs, deadline).catch(() => {});
    if (deadline.aborted) {
      options.signal.throwIfAborted();
      throw new DeadlineError(
        options.what,
        options.timeoutMs,
        last instanceof Error ? { detail: last.message } : {},
      );
    }
  }
}
