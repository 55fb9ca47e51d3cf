import { nameOf } from '../../backup/chores.ts';
import { head } from '../documents.ts';
import type { ChoresDocument } from '../schema.ts';
import type { ChoresOutcome } from './handler.ts';

/** What was due as JSON. */
export function choresToDocument({ ref, chores }: ChoresOutcome): ChoresDocument {
  return {
    ...head(ref),
    chores: chores.map(({ work, failure }) => ({
      kind: work.kind,
      what: nameOf(work),
      reason: work.reason,
      failure: failure ?? null,
    })),
  };
}

/** One line for each thing that was due. */
export function choresText({ chores }: ChoresOutcome): string {
  if (chores.length === 0) return 'nothing is due';
  return chores
    .map(({ work, failure }) => `${nameOf(work)}: ${failure === undefined ? 'done' : `failed: ${failure}`}`)
    .join('\n');
}
