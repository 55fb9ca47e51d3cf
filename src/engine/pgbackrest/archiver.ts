/** How archiving goes on the primary: what PostgreSQL says of it, and what the archive script has left. */
import type { ArchiverFacts } from '../../core/schedule/facts.ts';
import { firstErrorOf } from './errors.ts';
import { pushProblems } from './output.ts';

export const ARCHIVER_QUERY = `
SELECT current_setting('archive_mode') <> 'off' AS "on",
       last_archived_wal AS segment, last_archived_time AS at,
       pg_current_wal_lsn()::text AS lsn,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS "segmentBytes",
       ready.waiting::int AS waiting, extract(epoch FROM now() - ready.oldest)::float AS "oldestSeconds"
  FROM pg_stat_archiver,
       (SELECT count(*) AS waiting, min(modification) AS oldest
          FROM pg_ls_archive_statusdir() WHERE name ~ '^[0-9A-F]{24}\\.ready$') AS ready`;

export interface ArchiverSeen {
  primary: string;
  /** Answer to ARCHIVER_QUERY. */
  row: Record<string, unknown>;
  /** Content of the archive script's file; undefined: there is none. */
  failure: string | undefined;
  /** Of the volume with the WAL. */
  freeBytes: number | undefined;
  /** Names in the order of the archive's configuration: pgBackRest numbers them. */
  repositories: readonly string[];
}

export function archiverFactsOf({
  primary,
  row,
  failure: text,
  freeBytes,
  repositories,
}: ArchiverSeen): ArchiverFacts & { segmentBytes: number } {
  const waiting = Number(row.waiting);
  const failure = readFailure(text, repositories);
  const segmentBytes = Number(row.segmentBytes);
  const oldest = typeof row.oldestSeconds === 'number' ? row.oldestSeconds : 0;
  // What has piled up since the oldest one was full tells the pace.
  const pace = waiting >= 2 && oldest > 1 ? (waiting * segmentBytes) / oldest : undefined;
  const at = momentOf(row.at);
  return {
    primary,
    on: row.on === true,
    lastArchived:
      typeof row.segment === 'string' && at !== undefined
        ? { segment: row.segment.slice(0, 24), at: at.toISOString() }
        : undefined,
    failingSince: failure?.since,
    failure: failure?.message,
    failingRepositories: failure?.repositories ?? [],
    waiting,
    freeBytes,
    fullInSeconds:
      failure === undefined || pace === undefined || freeBytes === undefined
        ? undefined
        : Math.round(freeBytes / pace),
    lsn: typeof row.lsn === 'string' ? row.lsn : undefined,
    segmentBytes,
  };
}

/** A driver gives dates, psql's JSON gives text. */
function momentOf(value: unknown): Date | undefined {
  if (value instanceof Date) return value;
  const moment = typeof value === 'string' ? new Date(value) : undefined;
  return moment === undefined || Number.isNaN(moment.getTime()) ? undefined : moment;
}

function readFailure(
  text: string | undefined,
  repositories: readonly string[],
): { since: string; message: string; repositories: string[] } | undefined {
  const [, seconds, rest = ''] = /^(\d+)\n([\s\S]*)$/.exec(text ?? '') ?? [];
  if (seconds === undefined) return undefined;
  const since = new Date(Number(seconds) * 1000).toISOString();
  // People know them by name.
  const failing = pushProblems(rest).flatMap(({ repository, problem }) => {
    const name = repositories[repository - 1];
    return name === undefined ? [] : [{ name, problem }];
  });
  const sentences = failing.map(({ name, problem }) => `${name}: ${problem}`);
  const message = sentences.length > 0 ? sentences.join('; ') : (firstErrorOf(rest) ?? 'no message');
  return { since, message, repositories: [...new Set(failing.map(({ name }) => name))] };
}
