/** How archiving goes on the primary: asked of PostgreSQL, and of what the archive script has left. */
import { join } from 'node:path';
import type { ArchiverFacts } from '../../../core/schedule/facts.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { firstErrorOf } from '../../../engine/pgbackrest/errors.ts';
import { pushProblems } from '../../../engine/pgbackrest/output.ts';
import type { Session } from '../../../engine/postgres/connection.ts';
import { readIfExists } from '../../../lib/files.ts';
import type { Paths } from '../layout.ts';
import { backupPaths } from './paths.ts';
import { freeBytesOf } from './places.ts';
import type { Repository } from './repositories.ts';

const QUERY = `
SELECT current_setting('archive_mode') <> 'off' AS "on",
       last_archived_wal AS segment, last_archived_time AS at,
       pg_current_wal_lsn()::text AS lsn,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS "segmentBytes",
       ready.waiting::int AS waiting, extract(epoch FROM now() - ready.oldest)::float AS "oldestSeconds"
  FROM pg_stat_archiver,
       (SELECT count(*) AS waiting, min(modification) AS oldest
          FROM pg_ls_archive_statusdir() WHERE name ~ '^[0-9A-F]{24}\\.ready$') AS ready`;

export async function archiverFacts(
  primary: MemberObservation,
  session: Session,
  paths: Paths,
  repositories: Repository[],
): Promise<ArchiverFacts & { segmentBytes: number }> {
  const [row = {}] = await session.query(QUERY);
  const waiting = Number(row.waiting);
  const freeBytes = await freeBytesOf(join(paths.data, primary.name, 'pgdata', 'pg_wal'));
  const failure = await readFailure(paths, repositories);
  const segmentBytes = Number(row.segmentBytes);
  const oldest = typeof row.oldestSeconds === 'number' ? row.oldestSeconds : 0;
  // What has piled up since the oldest one was full tells the pace.
  const pace = waiting >= 2 && oldest > 1 ? (waiting * segmentBytes) / oldest : undefined;
  return {
    primary: primary.name,
    on: row.on === true,
    lastArchived:
      typeof row.segment === 'string' && row.at instanceof Date
        ? { segment: row.segment.slice(0, 24), at: row.at.toISOString() }
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

async function readFailure(
  paths: Paths,
  repositories: Repository[],
): Promise<{ since: string; message: string; repositories: string[] } | undefined> {
  const text = await readIfExists(backupPaths(paths).failure);
  const [, seconds, rest = ''] = /^(\d+)\n([\s\S]*)$/.exec(text ?? '') ?? [];
  if (seconds === undefined) return undefined;
  const since = new Date(Number(seconds) * 1000).toISOString();
  // pgBackRest numbers the repositories of its file; people know them by name.
  const failing = pushProblems(rest).flatMap(({ repository, problem }) => {
    const name = repositories[repository - 1]?.name;
    return name === undefined ? [] : [{ name, problem }];
  });
  const sentences = failing.map(({ name, problem }) => `${name}: ${problem}`);
  const message = sentences.length > 0 ? sentences.join('; ') : (firstErrorOf(rest) ?? 'no message');
  return { since, message, repositories: [...new Set(failing.map(({ name }) => name))] };
}
