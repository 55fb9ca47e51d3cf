/**
 * The backup work that is due, done by the control plane: look, do the first thing, look again, until nothing is
 * due. What was done is seen in the repositories; what failed is remembered, and tried again less and less often.
 */

import { dumpMoment } from '../core/schedule/dump.ts';
import {
  noteEnd,
  noteLines,
  noteStart,
  parseMemory,
  SCHEDULE_MEMORY,
  type ScheduleMemory,
  settle,
} from '../core/schedule/memory.ts';
import { PROOFS, parseProofs } from '../core/schedule/proof.ts';
import { dueWork, scheduleLines, type Work } from '../core/schedule/work.ts';
import { messageOf, PgherdError } from '../lib/errors.ts';
import { LockedError } from '../lib/lock.ts';
import type { ApplyContext, PlatformCluster } from '../platform/contract.ts';
import { dumpCluster } from './logical.ts';
import { runBackup } from './physical.ts';
import { verifyBackups } from './verify.ts';

/** While somebody else does backup work, or there is no primary. */
const LATER_MS = 60_000;
const ACTOR = 'keeper';

export interface Chore {
  work: Work;
  /** undefined: it was done. */
  failure: string | undefined;
}

/**
 * Does everything that is due now, and notes when to look again. What fails is in the result and in the journal, and
 * stops nothing else. Resolves at once where somebody else does backup work: there is a next time.
 */
export async function doChores(cluster: PlatformCluster, context: ApplyContext): Promise<Chore[]> {
  const { signal } = context;
  const chores: Chore[] = [];
  const { exists, stopped, members } = await cluster.observe({ catalog: false, withoutConfig: true }, signal);
  if (!exists || stopped) return chores;
  if (!members.some(({ role }) => role === 'primary')) {
    await update(cluster, memory => lookLater(memory, new Date(Date.now() + LATER_MS)));
    return chores;
  }
  await tidyUp(cluster, signal);
  const tried = new Set<string>();
  for (;;) {
    const { work, look } = await plan(cluster, signal);
    const [next] = work.filter(({ job }) => !tried.has(job));
    if (next === undefined) {
      await update(cluster, memory => lookLater(memory, look));
      return chores;
    }
    tried.add(next.job);
    const before = await update(cluster, memory => noteStart(memory, next.job, new Date()));
    try {
      context.progress(`${nameOf(next)}: ${next.reason}`);
      await carryOut(cluster, next, context);
      await update(cluster, memory => noteEnd(memory, next.job, undefined, new Date()));
      chores.push({ work: next, failure: undefined });
    } catch (error) {
      if (error instanceof LockedError) {
        await update(cluster, memory => lookLater(forget(memory, next.job, before), soon()));
        return chores;
      }
      // Whoever ends us has a reason, and the work is not to blame: it is due again at the next look.
      const wasAborted = signal.aborted;
      const failure = messageOf(error);
      await update(cluster, memory =>
        wasAborted ? forget(memory, next.job, before) : noteEnd(memory, next.job, failure, new Date()),
      );
      signal.throwIfAborted();
      chores.push({ work: next, failure });
    }
  }
}

/** Deletes data that a cutover has set aside once their time has come, and what killed restores have left. */
async function tidyUp(cluster: PlatformCluster, signal: AbortSignal): Promise<void> {
  try {
    await using _lock = await cluster.backups.lock('tidying up', { waitMs: 0, signal });
    const gone = await cluster.restores.sweep(new Date());
    if (gone.length === 0) return;
    const message = `deleted: ${gone.join(', ')}`;
    const entry = { actor: ACTOR, event: 'set-aside-deleted', subject: 'restore', message };
    await cluster.journal.append({ ...entry, reason: 'its time has come' });
  } catch {
    // Somebody works on the backups, or a file resists: the next look tries again.
    signal.throwIfAborted();
  }
}

async function plan(cluster: PlatformCluster, signal: AbortSignal): Promise<{ work: Work[]; look: Date }> {
  const { backup } = cluster.spec;
  const now = new Date();
  const memory = await update(cluster, known => noteLines(known, scheduleLines(backup), now));
  const observed = await cluster.backups.observe({ archive: false }, signal);
  const proofs = parseProofs(await cluster.backups.memory.read(PROOFS));
  const last = await lastDump(cluster, signal);
  const { work, look, open } = dueWork(backup, { memory, observed, lastDump: last, proofs, now });
  await update(cluster, known => settle(known, open));
  return { work, look };
}

/** Only a dump of this very cluster counts: another of its name may have left some. */
async function lastDump(cluster: PlatformCluster, signal: AbortSignal): Promise<Date | undefined> {
  if (!cluster.spec.backup.logical.enabled) return undefined;
  const { dumps } = await cluster.dumps.observe(signal);
  const last = dumps.findLast(({ own }) => own);
  return last === undefined ? undefined : dumpMoment(last.id);
}

async function carryOut(cluster: PlatformCluster, work: Work, context: ApplyContext): Promise<void> {
  switch (work.kind) {
    case 'dump':
      await dumpCluster(cluster, { actor: ACTOR, trustPlace: false, lockWaitMs: 0 }, context);
      return;
    case 'backup': {
      const { repository, type } = work;
      const options = { type, repositories: [repository], actor: ACTOR, lockWaitMs: 0 };
      const { results } = await runBackup(cluster, options, context);
      for (const result of results) if (!result.ok) throw result.error;
      return;
    }
    case 'verify': {
      const { signal } = context;
      await using _lock = await cluster.backups.lock('verify', { waitMs: 0, signal });
      const [proof] = await verifyBackups(cluster, work, context);
      if (proof?.outcome !== 'damaged') return;
      throw new PgherdError({ code: 'backup-damaged', message: proof.problems.join('; ') });
    }
  }
}

export function nameOf(work: Work): string {
  switch (work.kind) {
    case 'dump':
      return 'logical backup';
    case 'backup':
      return `${work.type} backup into ${work.repository}`;
    case 'verify':
      return `proof of ${work.backup} in ${work.repository}`;
  }
}

function soon(): Date {
  return new Date(Date.now() + LATER_MS);
}

function lookLater(memory: ScheduleMemory, look: Date): ScheduleMemory {
  return { ...memory, look: look.toISOString() };
}

/** As if the run had not begun. `before`: the memory with its start noted. */
function forget(memory: ScheduleMemory, job: string, before: ScheduleMemory): ScheduleMemory {
  const started = before.runs[job];
  if (started === undefined) return memory;
  const { started: _, ...rest } = started;
  return {
    ...memory,
    runs: { ...memory.runs, [job]: { ...rest, failures: Math.max(0, started.failures - 1) } },
  };
}

/** Reads, changes, writes: others may have noted something meanwhile. */
async function update(
  cluster: PlatformCluster,
  change: (memory: ScheduleMemory) => ScheduleMemory,
): Promise<ScheduleMemory> {
  const { memory } = cluster.backups;
  const known = parseMemory(await memory.read(SCHEDULE_MEMORY));
  const changed = change(known);
  if (JSON.stringify(changed) !== JSON.stringify(known)) await memory.write(SCHEDULE_MEMORY, changed);
  return changed;
}
