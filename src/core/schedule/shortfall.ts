/** Whether a replay went as far as the archive. */
import type { ArchiveFacts, BackupSet } from './facts.ts';
import { latestTimeline, reachOf } from './reach.ts';
import { lsnBytes, segmentAt, segmentBytesFrom, segmentName } from './wal.ts';

/**
 * A server that gets no further segment takes that for the end of the archive, whether there is none or it is damaged.
 * The name of the segment at which a replay of everything ended although there are later ones; undefined: it went to
 * the end.
 */
export function shortfall(
  set: BackupSet,
  archive: ArchiveFacts,
  timeline: number | undefined,
  reachedLsn: string,
): string | undefined {
  const reach = reachOf(set, archive, timeline ?? latestTimeline(archive));
  // What the listing lacks is known before the restore; here it only counts what it promised.
  if (reach === undefined) return undefined;
  const size = segmentBytesFrom({ lsn: set.lsn.start, segment: set.wal.first });
  const reached = lsnBytes(reachedLsn);
  if (reached >= reach.endLsn - size) return reach.missing;
  return segmentName(segmentAt(reach.timeline, reached, size), size);
}
