/**
 * What backup work is due now, and when to look again: from the manifest, from what is remembered and from what is
 * there. The repositories themselves tell what was done: a memory that is lost, or a backup that somebody took by
 * hand, changes nothing.
 */
import type { BackupSpec } from '../manifest/specBackup.ts';
import type { Schedule } from './cron.ts';
import { BACKUP_STRENGTH, type Due, due, dueSince, lastCovering } from './due.ts';
import type { BackupObservation, BackupSet, BackupType, RepositoryFacts } from './facts.ts';
import { jobMemory, type ScheduleMemory } from './memory.ts';

export type Work =
  | { kind: 'backup'; job: string; repository: string; type: BackupType; reason: string }
  | { kind: 'dump'; job: string; reason: string }
  | { kind: 'verify'; job: string; repository: string; backup: string; reason: string };

export interface WorkFacts {
  memory: ScheduleMemory;
  /** undefined: no repositories are wanted, or they could not be looked at. */
  observed: BackupObservation | undefined;
  /** Start of the newest complete dump. */
  lastDump: Date | undefined;
  /** Every try to prove a backup that had a result, good or bad. */
  proofs: readonly { repository: string; backup: string; at: string }[];
  now: Date;
}

/** A copy that was lost is noticed this much later at most. */
const LOOK_EVERY_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** In other states a try would be in vain; they are alarms of their own. */
const TAKES_BACKUPS = new Set<RepositoryFacts['state']>(['ready', 'empty', 'full', 'failing']);
const CAN_BE_READ = new Set<RepositoryFacts['state']>(['ready', 'full', 'read-only', 'failing']);

/** The schedules of the manifest by name. Those of repositories are the same for all of them. */
export function scheduleLines(spec: BackupSpec): Map<string, Schedule> {
  const { timeZone } = spec.schedule;
  const physical = spec.repositories.length > 0;
  const lines: [string, string | undefined][] = [
    ...BACKUP_STRENGTH.map((type): [string, string | undefined] => [
      type,
      physical ? spec.schedule[type] : undefined,
    ]),
    ['verify', physical ? spec.verify.schedule : undefined],
    ['dump', spec.logical.enabled ? spec.logical.schedule : undefined],
  ];
  return new Map(lines.flatMap(([name, cron]) => (cron === undefined ? [] : [[name, { cron, timeZone }]])));
}

export interface DueWork {
  /** In the order in which it is to be done. */
  work: Work[];
  /** The moment of the next look. */
  look: Date;
  /** Jobs that are due, wait for another try, or cannot be told: what failed in others is over. */
  open: Set<string>;
}

/** What is due now. */
export function dueWork(spec: BackupSpec, facts: WorkFacts): DueWork {
  const lines = scheduleLines(spec);
  const looks = [new Date(facts.now.getTime() + LOOK_EVERY_MS)];
  const open = new Set<string>();
  const noteNext = (job: string, answer: Due) => {
    if (!answer.due && answer.next !== undefined) looks.push(answer.next);
    if (answer.due || answer.retry) open.add(job);
    return answer;
  };
  const unseen = Object.keys(facts.memory.runs).filter(job => job !== 'dump' && facts.observed === undefined);
  for (const job of unseen) open.add(job);
  for (const { name, state } of facts.observed?.repositories ?? []) {
    if (!TAKES_BACKUPS.has(state)) open.add(`backup ${name}`);
    if (!CAN_BE_READ.has(state)) open.add(`verify ${name}`);
  }
  const repositories = facts.observed?.repositories ?? [];
  const work = [
    ...repositories.flatMap(repository => dueBackup(repository, lines, facts, noteNext)),
    ...dueDump(lines, facts, noteNext),
    ...repositories.flatMap(repository => dueProof(spec, repository, lines, facts, noteNext)),
  ];
  const nothingToWatch = repositories.length === 0 && facts.observed !== undefined;
  const moments = nothingToWatch ? [...looks.slice(1), new Date(facts.now.getTime() + DAY_MS)] : looks;
  const look = new Date(Math.min(...moments.map(moment => moment.getTime())));
  return { work, look, open };
}

type NoteNext = (job: string, answer: Due) => Due;

/** At most one backup for a repository: the most complete of those that are due does for the others. */
function dueBackup(
  repository: RepositoryFacts,
  lines: ReadonlyMap<string, Schedule>,
  { memory, now }: WorkFacts,
  noteNext: NoteNext,
): Work[] {
  // It is made up for when it is back.
  if (!TAKES_BACKUPS.has(repository.state)) return [];
  const { name, backups } = repository;
  const job = `backup ${name}`;
  const wanted = (type: BackupType, reason: string): Work => ({
    kind: 'backup',
    job,
    repository: name,
    type,
    reason,
  });
  if (backups.length === 0) {
    const answer = noteNext(
      job,
      dueSince(new Date(0), { ...jobMemory(memory, 'full', job), done: undefined }, now),
    );
    return answer.due ? [wanted('full', because('it holds no backup', answer))] : [];
  }
  for (const type of BACKUP_STRENGTH) {
    const line = lines.get(type);
    if (line === undefined) continue;
    const facts = { ...jobMemory(memory, type, job), done: lastCovering(backups, type) };
    const answer = noteNext(job, due(line, facts, now));
    if (answer.due) return [wanted(type, scheduled(answer, now))];
  }
  return [];
}

function dueDump(
  lines: ReadonlyMap<string, Schedule>,
  { memory, lastDump, now }: WorkFacts,
  noteNext: NoteNext,
): Work[] {
  const line = lines.get('dump');
  if (line === undefined) return [];
  const answer = noteNext('dump', due(line, jobMemory(memory, 'dump', 'dump', lastDump), now));
  return answer.due ? [{ kind: 'dump', job: 'dump', reason: scheduled(answer, now) }] : [];
}

/** The newest backup that has to be proven, if nobody has tried; and the newest of all at the times of `verify`. */
function dueProof(
  spec: BackupSpec,
  { name, state, backups }: RepositoryFacts,
  lines: ReadonlyMap<string, Schedule>,
  { memory, proofs, now }: WorkFacts,
  noteNext: NoteNext,
): Work[] {
  if (!CAN_BE_READ.has(state)) return [];
  const job = `verify ${name}`;
  const wanted = (backup: BackupSet, reason: string): Work[] => [
    { kind: 'verify', job, repository: name, backup: backup.id, reason },
  ];
  const { afterBackup } = spec.verify;
  const fresh = backups.findLast(({ type }) => afterBackup === 'all' || type === 'full');
  const tried = (backup: BackupSet) =>
    proofs.some(proof => proof.repository === name && proof.backup === backup.id);
  if (fresh !== undefined && afterBackup !== 'never' && !tried(fresh)) {
    const facts = { ...jobMemory(memory, 'verify', job), done: undefined };
    const answer = noteNext(job, dueSince(new Date(fresh.finishedAt), facts, now));
    if (answer.due) return wanted(fresh, because('it has not been proven yet', answer));
  }
  const line = lines.get('verify');
  const newest = backups.at(-1);
  if (line === undefined || newest === undefined) return [];
  const times = proofs.filter(({ repository }) => repository === name).map(({ at }) => Date.parse(at));
  const last = times.length === 0 ? undefined : new Date(Math.max(...times));
  const answer = noteNext(job, due(line, jobMemory(memory, 'verify', job, last), now));
  return answer.due ? wanted(newest, scheduled(answer, now)) : [];
}

/** A look that comes this much after the moment has been waiting for the machine, not for its turn. */
const MISSED_MS = 5 * 60_000;

function scheduled(answer: Due & { due: true }, now: Date): string {
  const { occurrence, attempt } = answer;
  const moment = occurrence.toISOString().replace(/\.000Z$/, 'Z');
  const missed = attempt === 1 && now.getTime() - occurrence.getTime() > MISSED_MS;
  return because(missed ? `missed at ${moment}` : `scheduled for ${moment}`, answer);
}

function because(why: string, { attempt }: Due & { due: true }): string {
  return attempt === 1 ? why : `${why}, attempt ${attempt}`;
}
