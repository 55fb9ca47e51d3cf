/** Logical backups in the list of all. */

import type { LogicalBackupSpec } from '../../core/manifest/specBackup.ts';
import type { StoredDump } from '../../core/schedule/dump.ts';
import type { DumpPlace } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { type Cell, table } from '../text/table.ts';
import { count, formatAge, formatBytes, formatDuration } from '../text/units.ts';
import type { BackupsDocument, DumpDocument } from './schema.ts';

export interface DumpsSeen {
  spec: LogicalBackupSpec;
  place: DumpPlace;
}

export function dumpEntry({ id, path, own, contents }: StoredDump): DumpDocument['dump'] {
  const { startedAt, endedAt, format, postgres, files } = contents;
  return {
    id,
    path,
    own,
    startedAt,
    finishedAt: endedAt,
    format,
    postgres,
    bytes: bytesOf(contents),
    files: files.map(({ file, database, bytes, sha256, tables }) => ({
      file,
      database: database ?? null,
      bytes,
      sha256,
      tables: tables ?? null,
    })),
  };
}

export function dumpsDocument(seen: DumpsSeen | undefined): BackupsDocument['dumps'] {
  if (seen === undefined) return null;
  const { directory, fileSystem, freeBytes, problem, dumps } = seen.place;
  return {
    directory,
    enabled: seen.spec.enabled,
    schedule: seen.spec.schedule,
    fileSystem: fileSystem ?? null,
    freeBytes: freeBytes ?? null,
    problem: problem ?? null,
    dumps: dumps.map(dumpEntry),
  };
}

/** What stands below the title "Logical backups". */
export function dumpLines({ spec, place }: DumpsSeen, session: Session): string[] {
  const { look } = session;
  const { directory, fileSystem, freeBytes, problem, dumps } = place;
  const when = spec.enabled ? `at ${spec.schedule}` : 'on demand only: enableLogicalBackup is false';
  const room =
    freeBytes === undefined ? '' : `, on ${fileSystem ?? 'unknown'}, ${formatBytes(freeBytes)} free`;
  const lines = [`  ${when}; ${directory}${room}`];
  if (problem !== undefined) lines.push(`  ${look.bad(problem)}`);
  const now = session.now();
  const rows = dumps.map(({ id, own, contents }): Cell[] => [
    id,
    contents.format,
    `${formatAge(contents.endedAt, now)} ago`,
    formatDuration(Date.parse(contents.endedAt) - Date.parse(contents.startedAt)),
    count(contents.files.filter(({ holds }) => holds === 'database').length, 'database'),
    formatBytes(bytesOf(contents)),
    { text: own ? '' : 'of another cluster of this name', paint: look.caution },
  ]);
  return rows.length === 0 ? lines : [...lines, ...table(rows)];
}

function bytesOf({ files }: StoredDump['contents']): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
