/**
 * Whether something is due. Level-triggered: computed from the schedule and from what was done, so that a run which
 * was missed (the machine was down, the keeper was dead) is made up for, once, whenever somebody looks again.
 */
import { lastOccurrence, nextOccurrence, type Schedule } from './cron.ts';
import type { BackupType } from './facts.ts';

/** What is remembered of one job. All of it may be lost: then the schedule counts from now on. */
export interface JobMemory {
  /** Since when the schedule is what it is: what it asked for before is nobody's wish any more. */
  since: Date;
  /** Start of the last run that succeeded. */
  done: Date | undefined;
  /** Start of the last run, whatever became of it. */
  started: Date | undefined;
  /** End of the last run; before `started`, or undefined: it was killed. */
  ended: Date | undefined;
  /** Runs in a row that did not succeed; counted when they start, so that one that kills us is among them. */
  failures: number;
}

export type Due =
  | { due: true; occurrence: Date; attempt: number }
  | { due: false; next: Date | undefined; retry: boolean };

const FIRST_RETRY_MS = 5 * 60_000;
const LAST_RETRY_MS = 60 * 60_000;

/** How long after its end a failed run is tried again: 5, 10, 20, 40, and then 60 minutes. */
export function retryDelay(failures: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, Math.min(failures, 10) - 1));
}

/** Is a run due now? For whoever knows that none is under way. */
export function due(schedule: Schedule, memory: JobMemory, now: Date): Due {
  const next = nextOccurrence(schedule, now);
  const occurrence = lastOccurrence(schedule, now);
  const since = past(memory.since, now);
  if (occurrence === undefined || (since !== undefined && occurrence <= since))
    return { due: false, next, retry: false };
  return dueSince(occurrence, memory, now, next);
}

/** The same for something that is wanted since a moment, once. `next`: when it will be wanted again. */
export function dueSince(occurrence: Date, memory: JobMemory, now: Date, next?: Date): Due {
  const done = past(memory.done, now);
  if (done !== undefined && done >= occurrence) return { due: false, next, retry: false };
  const failed = lastFailure(memory, now);
  // A failure before this occurrence does not delay it.
  if (failed !== undefined && failed >= occurrence) {
    const again = new Date(failed.getTime() + retryDelay(memory.failures));
    if (again > now) return { due: false, next: earlier(again, next), retry: true };
  }
  return { due: true, occurrence, attempt: memory.failures + 1 };
}

/** When the last run ended without success; one that was killed counts from its start. */
function lastFailure(memory: JobMemory, now: Date): Date | undefined {
  const started = past(memory.started, now);
  if (started === undefined || memory.failures === 0) return undefined;
  const ended = past(memory.ended, now);
  return ended === undefined || ended < started ? started : ended;
}

/** A clock that was set back makes memories lie in the future: they say nothing then. */
function past(moment: Date | undefined, now: Date): Date | undefined {
  return moment === undefined || moment > now ? undefined : moment;
}

function earlier(a: Date, b: Date | undefined): Date {
  return b === undefined || a < b ? a : b;
}

/** Physical backups, the most complete first: each holds what those after it would. */
export const BACKUP_STRENGTH = ['full', 'differential', 'incremental'] as const satisfies BackupType[];

/** Whether a backup of type `a` does for what one of type `b` was wanted for. */
export function covers(a: BackupType, b: BackupType): boolean {
  return BACKUP_STRENGTH.indexOf(a) <= BACKUP_STRENGTH.indexOf(b);
}

/** Start of the newest backup that does for this type; undefined: there is none. */
export function lastCovering(
  backups: readonly { type: BackupType; startedAt: string }[],
  type: BackupType,
): Date | undefined {
  const starts = backups
    .filter(backup => covers(backup.type, type))
    .map(backup => Date.parse(backup.startedAt));
  return starts.length === 0 ? undefined : new Date(Math.max(...starts));
}
