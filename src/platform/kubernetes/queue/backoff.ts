/** Exponential with jitter: between half and all of baseMs · 2^failures, at most maxMs. `random` is in [0, 1). */
export function backoff(
  failures: number,
  { baseMs, maxMs }: { baseMs: number; maxMs: number },
  random: number,
): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
  return full / 2 + (full / 2) * random;
}
