/** Milliseconds of the machine's monotonic clock: the same in every thread, and not moved by who sets the time. */
export function monotonic(): number {
  return performance.now() + OFFSET;
}

/** Each thread's performance.now() counts from its own beginning. */
const OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();
