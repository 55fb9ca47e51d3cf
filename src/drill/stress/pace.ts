/** When a client acts: pure, so that tests can hold it to its promises. */
export interface Pace {
  intervalMs: number;
  /** Of all clients: their turns are spread evenly over the interval. */
  clients: number;
}

/** The client's first turn, in milliseconds after the load has begun. */
export function firstTurn({ intervalMs, clients }: Pace, client: number): number {
  return (client / clients) * intervalMs;
}

/**
 * The turn after one that was due at `due` and ended at `now`: an interval later. A client that is late starts at
 * once, and what it missed is not made up for: it is one reader, not a queue of readers.
 */
export function nextTurn({ intervalMs }: Pace, due: number, now: number): number {
  return Math.max(now, due + intervalMs);
}

/** Attempts to connect under way at a time at most, all threads together: enough to keep a pooler busy. */
export const ATTEMPTS_AT_A_TIME = 24;

/** How long clients may take to connect before the load begins without the rest. */
export function rampDeadline(clients: number): number {
  return 15_000 + clients * 25;
}

/** No further connection for so long, although all have tried: the rest is refused. */
export const PLATEAU_MS = 2_500;

/** Threads for so many clients on so many cores. */
export function threadsFor(clients: number, cores: number): number {
  return Math.max(1, Math.min(4, cores, Math.ceil(clients / 50)));
}

/** Clients shared out among threads, as even as can be: the first client and how many, per thread. */
export function shares(clients: number, threads: number): { first: number; count: number }[] {
  return Array.from({ length: threads }, (_, i) => {
    const first = Math.floor((clients * i) / threads);
    return { first, count: Math.floor((clients * (i + 1)) / threads) - first };
  });
}
