/** How archiving goes on the primary: asked of PostgreSQL, and of what the archive script has left. */
import { join } from 'node:path';
import type { ArchiverFacts } from '../../../core/schedule/facts.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { ARCHIVER_QUERY, archiverFactsOf } from '../../../engine/pgbackrest/archiver.ts';
import type { Session } from '../../../engine/postgres/connection.ts';
import { readIfExists } from '../../../lib/files.ts';
import type { Paths } from '../layout.ts';
import { backupPaths } from './paths.ts';
import { freeBytesOf } from './places.ts';
import type { Repository } from './repositories.ts';

export async function archiverFacts(
  primary: MemberObservation,
  session: Session,
  paths: Paths,
  repositories: Repository[],
): Promise<ArchiverFacts & { segmentBytes: number }> {
  const [row = {}] = await session.query(ARCHIVER_QUERY);
  return archiverFactsOf({
    primary: primary.name,
    row,
    failure: await readIfExists(backupPaths(paths).failure),
    freeBytes: await freeBytesOf(join(paths.data, primary.name, 'pgdata', 'pg_wal')),
    repositories: repositories.map(({ name }) => name),
  });
}
