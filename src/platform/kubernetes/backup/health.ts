/** How the backups of a cluster were when somebody last looked, and what that means now. */
import { z } from 'zod';
import type { BackupSpec } from '../../../core/manifest/specBackup.ts';
import { lastOccurrence } from '../../../core/schedule/cron.ts';
import { BACKUP_STRENGTH, lastCovering } from '../../../core/schedule/due.ts';
import type { BackupObservation } from '../../../core/schedule/facts.ts';
import type { ScheduleMemory } from '../../../core/schedule/memory.ts';
import { scheduleLines } from '../../../core/schedule/work.ts';
import type { Condition } from '../status/compute.ts';

/** Name of the note. */
export const HEALTH = 'health';

export type Said = Pick<Condition, 'status' | 'reason' | 'message'>;

const health = z.object({
  at: z.string(),
  repositories: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      problem: z.string().optional(),
      /** The newest of each type. */
      backups: z.array(
        z.object({
          id: z.string(),
          type: z.enum(['full', 'differential', 'incremental']),
          startedAt: z.string(),
          finishedAt: z.string(),
        }),
      ),
      /** The newest proof that had a result. */
      proof: z.object({ at: z.string(), outcome: z.string(), problem: z.string().optional() }).optional(),
    }),
  ),
  archive: z.object({ failingSince: z.string(), failure: z.string() }).optional(),
  failures: z.array(z.object({ what: z.string(), message: z.string() })),
});

export type BackupHealth = z.infer<typeof health>;

/** undefined: nobody has looked, or it cannot be understood. */
export function parseHealth(document: unknown): BackupHealth | undefined {
  return health.safeParse(document).data;
}

export function healthOf(observed: BackupObservation): BackupHealth {
  const { failingSince, failure = 'no message' } = observed.archiver ?? {};
  return {
    at: observed.observedAt,
    repositories: observed.repositories.map(({ name, state, problem, backups }) => {
      const newest = BACKUP_STRENGTH.flatMap(type => backups.findLast(backup => backup.type === type) ?? []);
      const proof = observed.proofs?.findLast(({ repository }) => repository === name);
      return {
        name,
        state,
        ...(problem !== undefined && { problem }),
        backups: newest.map(({ id, type, startedAt, finishedAt }) => ({ id, type, startedAt, finishedAt })),
        ...(proof !== undefined && {
          proof: {
            at: proof.at,
            outcome: proof.outcome,
            ...(proof.problems[0] !== undefined && { problem: proof.problems[0] }),
          },
        }),
      };
    }),
    ...(failingSince !== undefined && { archive: { failingSince, failure } }),
    failures: (observed.failedWork ?? []).map(({ what, message }) => ({ what, message })),
  };
}

/** A run may begin late and take its time before it is missed. */
export const GRACE_MS = 2 * 3_600_000;
/** An archive that fails for less is worth no word: a failover, a restart of the repository. */
const ARCHIVE_MS = 5 * 60_000;

/** What is to be said of the physical backups; undefined: none are wanted. */
export function judgeHealth(
  spec: BackupSpec,
  seen: { health: BackupHealth | undefined; memory: ScheduleMemory },
  now: Date,
): Said | undefined {
  if (spec.repositories.length === 0) return undefined;
  const { health: known, memory } = seen;
  if (known === undefined) return unknown('NotYet', 'nobody has looked at the repositories yet');
  const { repositories, archive, failures } = known;
  const [failed] = failures;
  if (failed !== undefined) return bad('BackupFailed', `${failed.what} failed: ${failed.message}`);
  const away = repositories.find(
    ({ state }) => state !== 'ready' && state !== 'empty' && state !== 'failing',
  );
  if (away !== undefined) return bad('RepositoryNotReady', `${away.name}: ${away.problem ?? away.state}`);
  if (archive !== undefined && now.getTime() - Date.parse(archive.failingSince) > ARCHIVE_MS)
    return bad('ArchiveFailing', `WAL is not archived since ${archive.failingSince}: ${archive.failure}`);
  for (const repository of repositories) {
    const { name, backups, proof } = repository;
    if (backups.length === 0) return unknown('NotYet', `${name} holds no backup yet`);
    if (proof?.outcome === 'damaged')
      return bad('BackupDamaged', `${name}: ${proof.problem ?? 'the newest proof failed'}`);
    const late = lateLine(spec, backups, memory, now);
    if (late !== undefined) return bad('Late', `${name}: no ${late.type} backup since ${late.due}`);
  }
  const words = repositories.map(({ name, backups, proof }) => {
    const newest = backups.toSorted((a, b) => a.finishedAt.localeCompare(b.finishedAt)).at(-1);
    const proven = proof === undefined ? '' : `, proven ${proof.at}`;
    return `${name}: ${newest?.type} backup of ${newest?.finishedAt}${proven}`;
  });
  return { status: 'True', reason: 'BackedUp', message: words.join('; ') };
}

/** A line of the schedule whose last moment has passed without a backup that does for it. */
function lateLine(
  spec: BackupSpec,
  backups: BackupHealth['repositories'][number]['backups'],
  memory: ScheduleMemory,
  now: Date,
) {
  const lines = scheduleLines(spec);
  for (const type of BACKUP_STRENGTH) {
    const line = lines.get(type);
    const occurrence = line && lastOccurrence(line, new Date(now.getTime() - GRACE_MS));
    // What a line asked for before it was written is nobody's wish.
    const since = memory.lines[type]?.since;
    if (occurrence === undefined || since === undefined || occurrence <= new Date(since)) continue;
    const done = lastCovering(backups, type);
    if (done === undefined || done < occurrence) return { type, due: occurrence.toISOString() };
  }
  return undefined;
}

function bad(reason: string, message: string): Said {
  return { status: 'False', reason, message };
}

function unknown(reason: string, message: string): Said {
  return { status: 'Unknown', reason, message };
}
