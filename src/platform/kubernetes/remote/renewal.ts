import type { PatroniView } from '../patroni/view.ts';

/** A leader key that is not renewed within so many rounds of Patroni counts as silent. */
const SILENT_ROUNDS = 4;
const DEFAULT_ROUND_S = 10;

/** What the leader key says, and since when we have seen it say so, by our own clock. Milliseconds. */
export interface Renewal {
  text: string;
  at: number;
  /** It has said something else before: its holder lives. */
  renewed: boolean;
}

/** Notes a look at the key: of what it says at first nobody knows how old it is. */
export function noteRenewal(before: Renewal | undefined, text: string, now: number): Renewal {
  return before?.text === text ? before : { text, at: now, renewed: before !== undefined };
}

/**
 * The view as it may be told to others; undefined: whether the leader lives is not known yet, look again. `view` was made
 * as if it did.
 */
export function judged(view: PatroniView, { at, renewed }: Renewal, now: number): PatroniView | undefined {
  if (view.leader === undefined || renewed) return view;
  const patienceMs = (view.config?.loop_wait ?? DEFAULT_ROUND_S) * 1000 * SILENT_ROUNDS;
  return now - at > patienceMs ? { ...view, leader: undefined, stale: true } : undefined;
}
