/** Having the archive hold everything up to the present. */
import { poll } from '../../lib/time.ts';
import type { SqlSession } from './connection.ts';

/** A share over a slow line; beyond it something is wrong with the archive. */
const ARCHIVED_MS = 60_000;

/**
 * Commits, so that there is something after every commit until now, ends the segment, and waits until it is in the
 * archive. False where that cannot be: nothing is archived, or the archive takes nothing.
 */
export async function archiveUpToNow(session: SqlSession, signal: AbortSignal): Promise<boolean> {
  const [setting] = await session.query("SELECT current_setting('archive_mode') AS mode");
  if (setting?.mode === 'off') return false;
  // Nobody waits for a standby here, and a commit with a number of its own is a record in the WAL.
  await session.query('SET synchronous_commit = local');
  await session.query('SELECT pg_current_xact_id()');
  const [row] = await session.query('SELECT pg_walfile_name(pg_switch_wal()) AS segment');
  const segment = String(row?.segment);
  const [before] = await session.query('SELECT failed_count::text AS failures FROM pg_stat_archiver');
  return await poll(
    async () => {
      const [state] = await session.query(
        `SELECT coalesce(substr(last_archived_wal, 9) >= substr($1, 9), false) AS done,
           failed_count::text AS failures
         FROM pg_stat_archiver`,
        [segment],
      );
      if (state?.done === true) return true;
      // Whoever waits for a repository that takes nothing waits in vain.
      return state?.failures === before?.failures ? undefined : false;
    },
    { what: `segment ${segment} to be archived`, timeoutMs: ARCHIVED_MS, everyMs: 50, signal },
  );
}
