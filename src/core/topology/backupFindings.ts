import type { ArchiverFacts, BackupObservation } from '../schedule/facts.ts';
import { proofOf } from '../schedule/proof.ts';
import type { Finding } from './findings.ts';

/** An archive that fails for longer is an alarm: PostgreSQL tries again by itself, and a share may be slow. */
const ALARM_MS = 45_000;

type Command = (verb: string, rest?: string) => string;

/** What is wrong with the backups, loudest first. */
export function backupFindings(observed: BackupObservation | undefined, command: Command): Finding[] {
  if (observed === undefined) return [];
  const failed = [...cutoverFindings(observed, command), ...failedWorkFindings(observed, command)];
  if (observed.repositories.length === 0) return failed;
  const next = command('backups');
  const { archiver, repositories } = observed;
  const findings: Finding[] = archiver === undefined ? [] : archiverFindings(archiver, observed, command);
  for (const { name, state, problem } of repositories) {
    // What the archive says of it was told above.
    if (state === 'ready' || state === 'failing') continue;
    const why = problem === undefined ? '' : `: ${problem}`;
    findings.push({ severity: 'degraded', sentence: `the repository ${name} is ${state}${why}`, next });
  }
  for (const { name, backups } of repositories) {
    const newest = backups.at(-1);
    if (newest?.pageErrors !== true) continue;
    const sentence = `pages with wrong checksums were copied into ${name} (${newest.id}): the data directory it came from is damaged`;
    findings.push({ severity: 'degraded', sentence, next });
  }
  return [...findings, ...damageFindings(observed, command), ...failed];
}

/** Of backups that are there still: what was deleted since is no trouble any more. */
function damageFindings({ repositories, proofs = [] }: BackupObservation, command: Command): Finding[] {
  return repositories.flatMap(({ name, backups }) =>
    backups.flatMap(({ id }): Finding[] => {
      const proof = proofOf(proofs, name, id);
      if (proof?.outcome !== 'damaged') return [];
      const sentence = `the backup ${id} in ${name} is damaged: ${proof.problems[0] ?? 'it does not restore'}`;
      return [{ severity: 'degraded', sentence, next: command('backup') }];
    }),
  );
}

/** Nothing else may be done to the cluster until it is finished. */
function cutoverFindings({ restores }: BackupObservation, command: Command): Finding[] {
  if (restores?.cutover === undefined) return [];
  const { id, target } = restores.cutover;
  const sentence = `the cutover to restore ${id} (${target}) was begun and is not finished`;
  return [{ severity: 'degraded', sentence, next: command('restore', ` --cutover ${id}`) }];
}

function failedWorkFindings({ failedWork = [] }: BackupObservation, command: Command): Finding[] {
  return failedWork.map(({ what, at, tries, message }) => {
    const again = tries > 1 ? ` (${tries} times in a row)` : '';
    const sentence = `${what} failed at ${at.slice(0, 16).replace('T', ' ')}Z${again}: ${message}`;
    return { severity: 'degraded', sentence, next: command('events') };
  });
}

function archiverFindings(
  archiver: ArchiverFacts,
  { observedAt }: BackupObservation,
  command: Command,
): Finding[] {
  if (!archiver.on) {
    const sentence = 'WAL is not archived before PostgreSQL has been restarted';
    return [{ severity: 'degraded', sentence, next: command('restart') }];
  }
  const { failingSince, failure, waiting } = archiver;
  if (failingSince === undefined || Date.parse(observedAt) - Date.parse(failingSince) < ALARM_MS) return [];
  const segments = waiting === 0 ? '' : `; ${waiting} segment${waiting === 1 ? ' waits' : 's wait'}`;
  const sentence = `WAL is not archived since ${failingSince}: ${failure}${segments}${lasting(archiver)}`;
  return [{ severity: 'degraded', sentence, next: command('backups') }];
}

/** How long the volume lasts: the database keeps all WAL that was not archived. */
function lasting({ primary, freeBytes, fullInSeconds }: ArchiverFacts): string {
  if (freeBytes === undefined) return '';
  const gigabytes = (freeBytes / 1024 ** 3).toFixed(1);
  if (fullInSeconds === undefined) return `, and the volume of ${primary} has ${gigabytes} GB left`;
  return `, and the volume of ${primary} is full in about ${span(fullInSeconds)} (${gigabytes} GB left)`;
}

function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** What a person should know although nothing fails. */
export function backupNotes(observed: BackupObservation | undefined): string[] {
  if (observed === undefined) return [];
  const notes = waitingNotes(observed);
  if (observed.repositories.length === 0)
    return [...notes, 'there are no physical backups: the manifest asks for no repository'];
  const empty = observed.repositories.filter(
    ({ state, backups }) => state === 'ready' && backups.length === 0,
  );
  if (empty.length > 0) {
    const names = empty.map(({ name }) => name).join(', ');
    notes.push(`no backup yet in ${names}: the control plane takes the first one soon`);
  }
  const unproven = observed.repositories.filter(
    ({ name, backups }) =>
      backups.length > 0 &&
      !observed.proofs?.some(proof => proof.repository === name && proof.outcome === 'proven'),
  );
  if (unproven.length > 0) {
    const names = unproven.map(({ name }) => name).join(', ');
    notes.push(`no backup in ${names} was ever proven by a restore: pgherd verify does it now`);
  }
  if (observed.key !== undefined && observed.key.savedAt === undefined) {
    notes.push(
      'the key of the backups was never saved elsewhere, and without it no repository can be read: pgherd backup-key',
    );
  }
  return notes;
}

/** Each takes the room of a whole cluster, and nobody but a person ends it. */
function waitingNotes({ restores }: BackupObservation): string[] {
  return (restores?.waiting ?? []).map(({ id, target, lastCommitAt, createdAt }) => {
    const last = lastCommitAt === undefined ? '' : `, last commit ${lastCommitAt}`;
    const since = `${createdAt.slice(0, 16).replace('T', ' ')}Z`;
    return `restore ${id} (to ${target}${last}) waits since ${since}, until you decide: pgherd restore NAME --cutover ${id}, or --discard ${id}`;
  });
}
