import type { Streak } from './evidence.ts';

/** One look: whether it came in time, and how long after the one before. */
export interface Look {
  at: number;
  timely: boolean;
  gapMs: number;
}

/**
 * For evidence that takes seconds: a late look counts as well, but at most `capMs`. What was waiting for the sentinel has
 * been read by then, so a busy machine only slows it down, and one that stood still for minutes adds next to nothing.
 */
export function capped(look: Look, capMs: number): Look {
  return look.timely ? look : { ...look, gapMs: Math.min(look.gapMs, capMs) };
}

/**
 * One more look in which it held, timely or capped, so that the sentinel's own sleep counts for nothing. `probeAt`: when the attempt ended that says so; default: this look.
 */
export function extend(streak: Streak | undefined, look: Look, probeAt: number = look.at): Streak {
  if (streak === undefined) return { since: look.at, heldMs: 0, looks: 1, probes: 1, lastProbeAt: probeAt };
  const isNew = probeAt > streak.lastProbeAt;
  return {
    since: streak.since,
    heldMs: streak.heldMs + look.gapMs,
    looks: streak.looks + 1,
    probes: streak.probes + (isNew ? 1 : 0),
    lastProbeAt: isNew ? probeAt : streak.lastProbeAt,
  };
}
