import { head, toSeconds } from '../documents.ts';
import type { RestartDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { formatDuration } from '../text/units.ts';
import type { RestartOutcome } from './handler.ts';

/** The restart as JSON. */
export function restartToDocument({ ref, restarted, durationMs }: RestartOutcome): RestartDocument {
  return { ...head(ref), restarted, seconds: toSeconds(durationMs) };
}

/** The restart for people. */
export function restartText({ ref, restarted, durationMs }: RestartOutcome, { look }: Session): string {
  return `${look.strong(ref.name)}: restarted ${restarted.join(', then ')} (${formatDuration(durationMs)})`;
}
