import { head, toSeconds } from '../documents.ts';
import type { DownDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { formatDuration } from '../text/units.ts';
import type { DownOutcome } from './handler.ts';

/** The stop as JSON. */
export function downToDocument({ ref, durationMs }: DownOutcome): DownDocument {
  return { ...head(ref), seconds: toSeconds(durationMs) };
}

/** The stop for people, with the way back. */
export function downText({ ref, durationMs }: DownOutcome, session: Session): string {
  return [
    `${session.look.strong(ref.name)} is stopped, its data stays (${formatDuration(durationMs)})`,
    '',
    session.look.strong('Next'),
    `  ${session.command(['up', 'FILE'])}  starts it again, FILE being its manifest`,
  ].join('\n');
}
