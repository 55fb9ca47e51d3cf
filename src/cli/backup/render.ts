import type { BackupResult } from '../../backup/physical.ts';
import { codeOf, messageOf, PgherdError } from '../../lib/errors.ts';
import { backupSetDocument } from '../backups/render.ts';
import type { BackupDocument } from '../backups/schema.ts';
import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { bullets } from '../text/fold.ts';
import { type Cell, table } from '../text/table.ts';
import { formatBytes, formatDuration } from '../text/units.ts';
import type { BackupCommandOutcome } from './handler.ts';

/** The backup as JSON. */
export function backupToDocument({ ref, results, durationMs }: BackupCommandOutcome): BackupDocument {
  return {
    ...head(ref),
    results: results.map(result => ({
      repository: result.repository,
      backup: result.ok ? backupSetDocument(result.set) : null,
      failure: result.ok
        ? null
        : { code: codeOf(result.error) ?? 'defect', message: sentenceOf(result.error) },
      seconds: toSeconds(result.durationMs),
    })),
    seconds: toSeconds(durationMs),
  };
}

/** The backup for people: what lies where now, and what failed why. */
export function backupText({ results, durationMs }: BackupCommandOutcome, session: Session): string {
  const { look } = session;
  const good = results.filter(result => result.ok);
  const many = results.length === 1 ? 'the repository' : `${good.length} of ${results.length} repositories`;
  const headline =
    good.length === results.length
      ? `backed up into ${many} (${formatDuration(durationMs)})`
      : look.bad(`${good.length === 0 ? 'no backup was taken' : `backed up into ${many} only`}`);
  const rows = good.map(({ repository, set, durationMs: took }): Cell[] => [
    repository,
    set.id,
    set.type,
    formatDuration(took),
    `${formatBytes(set.databaseBytes)} of data`,
    `${formatBytes(set.ownBytes)} stored`,
  ]);
  const failures = results.filter(result => !result.ok);
  const width = session.output.proseColumns;
  return [
    headline,
    ...(rows.length > 0 ? ['', ...table(rows)] : []),
    ...(failures.length > 0 ? ['', look.strong('Failed'), ...bullets(failures.map(failureText), width)] : []),
  ].join('\n');
}

function failureText(result: Extract<BackupResult, { ok: false }>): string {
  const { error } = result;
  const hint = error instanceof PgherdError && error.hint !== undefined ? ` (${error.hint})` : '';
  return `${sentenceOf(error)}${hint}`;
}

function sentenceOf(error: unknown): string {
  const detail = error instanceof PgherdError && error.detail !== undefined ? `: ${error.detail}` : '';
  return `${messageOf(error)}${detail}`;
}
