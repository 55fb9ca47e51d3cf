import type { ClusterRef, JournalEntry } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { parseSince } from '../text/units.ts';

export interface EventsOutcome {
  ref: ClusterRef;
  entries: JournalEntry[];
}

/** Reads the journal, from a moment on. */
export async function events(
  session: Session,
  name: string,
  options: { since?: string | undefined },
): Promise<EventsOutcome> {
  const since = options.since === undefined ? undefined : parseSince(options.since, session.now());
  const cluster = await openCluster(session, name);
  return { ref: cluster.ref, entries: await cluster.journal.read({ since }) };
}
