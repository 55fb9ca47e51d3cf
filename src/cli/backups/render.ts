import type { ArchiverFacts, BackupObservation, BackupSet } from '../../core/schedule/facts.ts';
import { proofOf } from '../../core/schedule/proof.ts';
import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { bullets } from '../text/fold.ts';
import type { Look } from '../text/look.ts';
import { type Cell, table } from '../text/table.ts';
import { formatAge, formatBytes, formatDuration } from '../text/units.ts';
import { besideDocument, besideLines } from './beside.ts';
import { dumpLines, dumpsDocument } from './dumps.ts';
import type { BackupsOutcome } from './handler.ts';
import type { BackupSetDocument, BackupsDocument } from './schema.ts';

export function backupSetDocument(set: BackupSet): BackupSetDocument {
  const { id, repository, type, startedAt, finishedAt, needs, timeline, wal, lsn } = set;
  const { databaseBytes, repositoryBytes, ownBytes, pageErrors } = set;
  const sizes = { databaseBytes, repositoryBytes, ownBytes, pageErrors };
  return { id, repository, type, startedAt, finishedAt, needs, timeline, wal, lsn, ...sizes };
}

/** Backups as JSON. */
export function backupsToDocument({
  ref,
  observed,
  windows,
  troubles,
  dumps,
}: BackupsOutcome): BackupsDocument {
  const { repositories, archiver, key, observedAt } = observed;
  return {
    ...head(ref),
    well: troubles.length === 0,
    troubles,
    repositories: repositories.map(({ name, kind, where, state, problem, freeBytes, encrypted }) => ({
      name,
      kind,
      where,
      state,
      problem: problem ?? null,
      freeBytes: freeBytes ?? null,
      encrypted,
    })),
    backups: repositories.flatMap(({ backups }) =>
      backups.map(set => ({ ...backupSetDocument(set), proof: proofDocument(observed, set) })),
    ),
    windows: windows.map(window => ({
      ...window,
      to: window.to ?? null,
      missing: window.missing ?? null,
    })),
    archiver: archiver === undefined ? null : archiverDocument(archiver),
    key: key === undefined ? null : { fingerprint: key.fingerprint, savedAt: key.savedAt ?? null },
    dumps: dumpsDocument(dumps),
    ...besideDocument(observed),
    observedAt,
  };
}

function proofDocument({ proofs = [] }: BackupObservation, { repository, id }: BackupSet) {
  const proof = proofOf(proofs, repository, id);
  if (proof === undefined) return null;
  const { outcome, at, durationMs, problems } = proof;
  return { outcome, at, seconds: toSeconds(durationMs), problems };
}

function archiverDocument(archiver: ArchiverFacts): NonNullable<BackupsDocument['archiver']> {
  const { primary, on, lastArchived, failingSince, failure, waiting, freeBytes, fullInSeconds } = archiver;
  return {
    primary,
    on,
    lastSegment: lastArchived?.segment ?? null,
    lastAt: lastArchived?.at ?? null,
    failingSince: failingSince ?? null,
    failure: failure ?? null,
    waiting,
    freeBytes: freeBytes ?? null,
    fullInSeconds: fullInSeconds ?? null,
  };
}

/** Backups for people: where they are, which there are, to which moments they lead. */
export function backupsText(outcome: BackupsOutcome, session: Session): string {
  const { ref, observed, troubles, notes, dumps } = outcome;
  const { look } = session;
  const width = session.output.proseColumns;
  const title = look.strong;
  const sets = observed.repositories.reduce((sum, { backups }) => sum + backups.length, 0);
  const places = observed.repositories.length;
  const lines = [
    `${look.strong(ref.name)} has ${sets} backup${sets === 1 ? '' : 's'} in ${places} repositor${places === 1 ? 'y' : 'ies'}`,
  ];
  if (troubles.length > 0) lines.push(...bullets(troubles, width, '- ').map(look.bad));
  if (places > 0) lines.push('', title('Repositories'), ...repositoryLines(outcome, look));
  if (sets > 0) {
    lines.push('', title('Backups'), ...backupLines(outcome, session));
    lines.push('', title('Can be restored'), ...windowLines(outcome, session));
  }
  if (observed.archiver !== undefined)
    lines.push('', title('Archive'), archiveLine(observed.archiver, session));
  if (dumps !== undefined) lines.push('', title('Logical backups'), ...dumpLines(dumps, session));
  lines.push(...besideLines(outcome, session));
  if (notes.length > 0) lines.push('', title('Notes'), ...bullets(notes, width).map(look.caution));
  return lines.join('\n');
}

function repositoryLines({ observed }: BackupsOutcome, look: Look): string[] {
  return table(
    observed.repositories.map(({ name, state, where, freeBytes, encrypted }): Cell[] => [
      name,
      { text: state, paint: state === 'ready' ? look.good : look.bad },
      freeBytes === undefined ? '' : `${formatBytes(freeBytes)} free`,
      encrypted ? 'encrypted' : 'not encrypted',
      { text: where, paint: look.faint },
    ]),
  );
}

function backupLines({ observed }: BackupsOutcome, session: Session): string[] {
  const { look } = session;
  const now = session.now();
  const rows = observed.repositories.flatMap(({ backups }) =>
    backups.map((set): Cell[] => [
      set.id,
      set.repository,
      set.type,
      `${formatAge(set.finishedAt, now)} ago`,
      formatDuration(Date.parse(set.finishedAt) - Date.parse(set.startedAt)),
      formatBytes(set.databaseBytes),
      formatBytes(set.ownBytes),
      { text: set.pageErrors ? 'damaged pages' : '', paint: look.bad },
      proofCell(observed, set, session),
    ]),
  );
  return table(rows, {
    header: ['BACKUP', 'REPOSITORY', 'TYPE', 'TAKEN', 'TOOK', 'DATA', 'STORED', '', 'PROVEN'],
    paintHeader: look.faint,
    alignRight: [4, 5, 6],
  });
}

/** Whether a restore of it has worked, when, and how long that took. */
function proofCell(
  { proofs = [] }: BackupObservation,
  { repository, id }: BackupSet,
  session: Session,
): Cell {
  const { look } = session;
  const proof = proofOf(proofs, repository, id);
  if (proof === undefined) return { text: 'never', paint: look.faint };
  if (proof.outcome === 'damaged') return { text: 'DAMAGED', paint: look.bad };
  const text = `${formatAge(proof.at, session.now())} ago in ${formatDuration(proof.durationMs)}`;
  return { text, paint: look.good };
}

function windowLines({ windows }: BackupsOutcome, { look }: Session): string[] {
  if (windows.length === 0) return [`  ${look.bad('nothing: no backup has the WAL that it needs')}`];
  return table(
    windows.map(({ repository, from, to, timeline, missing }): Cell[] => [
      repository,
      `${clock(from)} to ${to === undefined ? 'now' : clock(to)}`,
      `timeline ${timeline}`,
      { text: missing === undefined ? '' : `ends: segment ${missing} is missing`, paint: look.bad },
    ]),
  );
}

function archiveLine(archiver: ArchiverFacts, session: Session): string {
  const { lastArchived, waiting } = archiver;
  const last =
    lastArchived === undefined
      ? 'no segment yet'
      : `segment ${lastArchived.segment}, ${formatAge(lastArchived.at, session.now())} ago`;
  const queue = waiting === 0 ? 'none waits' : `${waiting} wait${waiting === 1 ? 's' : ''}`;
  return `  ${last}; ${queue}`;
}

/** To the second, in UTC: what --to takes. */
function clock(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')}Z`;
}
