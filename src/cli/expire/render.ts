import type { ExpireDocument } from '../backups/schema.ts';
import { head } from '../documents.ts';
import type { Session } from '../session.ts';
import { table } from '../text/table.ts';
import type { ExpireOutcome } from './handler.ts';

/** What went as JSON. */
export function expireToDocument({ ref, dryRun, expired }: ExpireOutcome): ExpireDocument {
  return {
    ...head(ref),
    dryRun,
    repositories: expired.map(({ repository, backups, wal }) => ({ repository, backups, wal })),
  };
}

/** What went for people. */
export function expireText({ dryRun, expired }: ExpireOutcome, { look }: Session): string {
  const rows = expired.flatMap(({ repository, backups, wal }) => [
    ...backups.map(id => [repository, `backup ${id}`]),
    ...wal.map(({ first, last }) => [repository, `WAL ${first}${first === last ? '' : ` to ${last}`}`]),
  ]);
  if (rows.length === 0) return 'nothing is older than the retention keeps';
  return [look.strong(dryRun ? 'would be deleted' : 'deleted'), ...table(rows)].join('\n');
}
