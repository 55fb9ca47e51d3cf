import { dumpEntry } from '../backups/dumps.ts';
import type { DumpDocument } from '../backups/schema.ts';
import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { type Cell, table } from '../text/table.ts';
import { count, formatBytes, formatDuration } from '../text/units.ts';
import type { DumpOutcome } from './logical.ts';

/** A logical backup as JSON. */
export function dumpToDocument({ ref, dump, expired, notExpired, durationMs }: DumpOutcome): DumpDocument {
  return {
    ...head(ref),
    dump: dumpEntry(dump),
    expired,
    notExpired: notExpired ?? null,
    seconds: toSeconds(durationMs),
  };
}

/** A logical backup for people: what it holds, where, and what went. */
export function dumpText({ dump, expired, notExpired, durationMs }: DumpOutcome, { look }: Session): string {
  const { files } = dump.contents;
  const databases = files.filter(({ holds }) => holds === 'database');
  const rows = databases.map(({ database, file, bytes, tables }): Cell[] => [
    database ?? '',
    file,
    count(tables ?? 0, 'table'),
    formatBytes(bytes),
  ]);
  return [
    `dumped ${count(databases.length, 'database')} and the roles (${formatDuration(durationMs)})`,
    `  ${dump.path}`,
    '',
    ...table(rows),
    ...(expired.length > 0 ? ['', `deleted by retention: ${expired.join(', ')}`] : []),
    ...(notExpired === undefined ? [] : ['', look.bad(`retention could not be applied: ${notExpired}`)]),
  ].join('\n');
}
