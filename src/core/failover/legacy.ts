/** What an earlier run of the sentinel did, from what it wrote down: the cool-down outlives whoever acted. */
import type { Fence, Legacy } from './evidence.ts';

/** An act as the journal has it. */
export interface Deed {
  /** ISO 8601. */
  at: string;
  event: string;
  subject: string;
}

/** @param wall the present moment in Unix milliseconds; @param now the same moment on the sentinel's clock. */
export function legacyOf(deeds: readonly Deed[], { wall, now }: { wall: number; now: number }): Legacy {
  const fences: Record<string, Fence> = {};
  let revoked: Legacy['revoked'];
  for (const { at: written, event, subject } of deeds) {
    // A clock that was set back must not put an act into the future.
    const at = now - Math.max(0, wall - Date.parse(written));
    if (event === 'sentinel-revoke') revoked = { member: subject, revision: '', at };
    if (event === 'sentinel-fence') fences[subject] = { at, sent: true };
  }
  return { revoked, fences };
}
