import { z } from 'zod';
import { recoveryTarget } from '../../../../core/schedule/targetSchema.ts';
import type { ScratchRecord } from '../../../contract.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { parsedJson } from '../../api/parsedJson.ts';
import { SOCKET_DIRECTORY } from '../../objects/layout.ts';
import { RESTORE_ANNOTATION } from '../../objects/restorePod.ts';

const reached = z.object({
  lastCommitAt: z.string().optional(),
  lsn: z.string(),
  timeline: z.number(),
  reason: z.string(),
  endOfArchive: z.boolean(),
});

/** What the annotation of a restore's pod holds. */
export const restoreNote = z.object({
  id: z.string(),
  purpose: z.enum(['verify', 'restore', 'table', 'clone']),
  createdAt: z.string(),
  repository: z.string(),
  backup: z.string(),
  target: recoveryTarget.optional(),
  reached: reached.optional(),
  restoredMs: z.number(),
  replayedMs: z.number(),
});

export type RestoreNote = z.infer<typeof restoreNote>;

/** undefined: no note of ours. */
export function recordOf(pod: LiveObject): ScratchRecord | undefined {
  const { data } = restoreNote.safeParse(parsedJson(pod.metadata.annotations?.[RESTORE_ANNOTATION]));
  return data === undefined ? undefined : toRecord(data, pod.metadata.name);
}

export function toRecord(data: RestoreNote, pod: string): ScratchRecord {
  return {
    ...data,
    target: data.target,
    reached: data.reached && { ...data.reached, lastCommitAt: data.reached.lastCommitAt },
    directory: `pod ${pod}`,
    socketDirectory: SOCKET_DIRECTORY,
    // Whoever makes one holds the lock of backups, and who asks holds it now.
    owned: false,
  };
}
