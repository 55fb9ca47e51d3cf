import { head, toSeconds } from '../documents.ts';
import type { ReinitDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { formatDuration } from '../text/units.ts';
import type { ReinitOutcome } from './handler.ts';

/** The reinitialisation as JSON. */
export function reinitToDocument({ ref, member, durationMs }: ReinitOutcome): ReinitDocument {
  return { ...head(ref), member, seconds: toSeconds(durationMs) };
}

/** The reinitialisation for people. */
export function reinitText({ member, durationMs }: ReinitOutcome, { look }: Session): string {
  return `${look.strong(member)} was built anew and is streaming (${formatDuration(durationMs)})`;
}
