import { setTimeout as delay } from 'node:timers/promises';

/** How long things may take on a busy machine with two cores. Named, so that a failure says what was too slow. */
export const WITHIN = {
  /** A server notices that it shall end. */
  exit: 10_000,
  /** A changed setting or role is seen everywhere. */
  notice: 15_000,
  /** A member is built or starts again and streams. */
  streaming: 60_000,
  /** One command of the CLI that starts or changes a cluster. */
  command: 120_000,
} as const;

/**
 * Calls `attempt` every 50 ms until it returns something other than undefined or false. Rejects with what was
 * awaited and the last thing that an attempt threw.
 */
export async function eventually<T>(
  what: string,
  withinMs: number,
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const until = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) {
      throw new Error(`not within ${withinMs / 1000} s: ${what}`, { cause: last });
    }
    await delay(50);
  }
}
