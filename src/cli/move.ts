import type { MoveResult } from '../control/operations.ts';
import type { ClusterRef } from '../platform/contract.ts';
import { head, memberDocument, toSeconds } from './documents.ts';
import { memberTable, sorted } from './members.ts';
import type { MoveDocument } from './schema.ts';
import type { Session } from './session.ts';
import { formatDuration } from './text/units.ts';

export interface MoveOutcome extends MoveResult {
  ref: ClusterRef;
}

/** A switchover or failover as JSON. */
export function moveToDocument({ ref, from, to, durationMs, members }: MoveOutcome): MoveDocument {
  return {
    ...head(ref),
    from: from ?? null,
    to,
    seconds: toSeconds(durationMs),
    members: sorted(members).map(memberDocument),
  };
}

/** A switchover or failover for people: who leads now, how long it took, who follows. */
export function moveText({ from, to, durationMs, members }: MoveOutcome, session: Session): string {
  const { look } = session;
  const before = from === undefined ? 'there was none before' : `before: ${from}`;
  const headline = `${look.strong(to)} is the primary now (${before}; ${formatDuration(durationMs)})`;
  return [headline, '', ...memberTable(members, session.now(), look)].join('\n');
}
