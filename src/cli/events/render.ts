import { head } from '../documents.ts';
import type { EventsDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { type Cell, table } from '../text/table.ts';
import type { EventsOutcome } from './handler.ts';

/** The journal as JSON. */
export function eventsToDocument({ ref, entries }: EventsOutcome): EventsDocument {
  return {
    ...head(ref),
    events: entries.map(({ at, actor, event, subject, message, reason }) => ({
      at,
      actor,
      event,
      subject,
      message,
      reason: reason ?? null,
    })),
  };
}

/** The journal as a table, oldest first. */
export function eventsText({ entries }: EventsOutcome, { look }: Session): string {
  if (entries.length === 0) return 'no events';
  const rows = entries.map(({ at, actor, event, subject, message, reason }): Cell[] => [
    { text: at, paint: look.faint },
    { text: actor, paint: text => look.named(actor, text) },
    event,
    subject,
    `${message}${reason === undefined ? '' : ` (${reason})`}`,
  ]);
  const header = ['TIME', 'WHO', 'EVENT', 'SUBJECT', 'WHAT AND WHY'];
  return table(rows, { header, paintHeader: look.faint, indent: 0 }).join('\n');
}
