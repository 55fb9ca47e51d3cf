/** How far the WAL of a repository carries a backup, along which timelines. */
import type { ArchiveFacts, BackupSet, TimelineFacts } from './facts.ts';
import { lsnBytes, parseSegment, segmentBytesFrom, segmentName } from './wal.ts';

export interface Reach {
  /** The timeline on which it ends. */
  timeline: number;
  /** Every commit before this position can be had. */
  endLsn: bigint;
  /** The segment that is missing although later ones of the same timelines are there; undefined: no gap. */
  missing: string | undefined;
}

/**
 * Follows the WAL from a backup's beginning towards `timeline` as far as it goes. undefined: the backup cannot be
 * made consistent from this archive, or the timeline did not come from it.
 */
export function reachOf(set: BackupSet, archive: ArchiveFacts, timeline: number): Reach | undefined {
  const path = pathTo(archive.timelines, set.timeline, timeline);
  if (path === undefined) return undefined;
  const size = segmentBytesFrom({ lsn: set.lsn.start, segment: set.wal.first });
  const first = parseSegment(set.wal.first, size).number;
  const last = parseSegment(set.wal.last, size).number;
  const held = archive.ranges.map(range => ({
    timeline: range.timeline,
    first: parseSegment(range.first, size).number,
    last: parseSegment(range.last, size).number,
  }));
  const stop = lsnBytes(set.lsn.stop);

  let next = first;
  let at = set.timeline;
  for (const { timeline: current, endLsn } of path) {
    at = current;
    if (endLsn !== undefined && endLsn < stop) return undefined;
    // The segment in which a timeline ends is there as the next one's.
    const until = endLsn === undefined ? undefined : endLsn / size - 1n;
    const range = held.find(
      candidate => candidate.timeline === current && candidate.first <= next && next <= candidate.last,
    );
    if (range !== undefined) next = (until !== undefined && until < range.last ? until : range.last) + 1n;
    if (until === undefined || next <= until) break;
  }
  if (next <= last) return undefined;
  // Anything later on the way that is left to take means that something in between is missing.
  const beyond = path.some(part => {
    const until = part.endLsn === undefined ? undefined : part.endLsn / size - 1n;
    return held.some(range => {
      const end = until !== undefined && until < range.last ? until : range.last;
      return range.timeline === part.timeline && range.first <= end && end >= next;
    });
  });
  return {
    timeline: at,
    endLsn: next * size,
    missing: beyond ? segmentName({ timeline: at, number: next }, size) : undefined,
  };
}

/** Timelines from one to another with the position at which each was left; undefined: they are not related so. */
export function pathTo(
  timelines: readonly TimelineFacts[],
  from: number,
  to: number,
): { timeline: number; endLsn: bigint | undefined }[] | undefined {
  const parents = timelines.find(({ timeline }) => timeline === to)?.parents ?? [];
  const whole = [
    ...parents.map(parent => ({ timeline: parent.timeline, endLsn: lsnBytes(parent.endLsn) })),
    { timeline: to, endLsn: undefined },
  ];
  const start = whole.findIndex(({ timeline }) => timeline === from);
  return start === -1 ? undefined : whole.slice(start);
}

/** The newest timeline of an archive. */
export function latestTimeline(archive: ArchiveFacts): number {
  return Math.max(
    1,
    ...archive.ranges.map(range => range.timeline),
    ...archive.timelines.map(({ timeline }) => timeline),
  );
}

/**
 * The timeline that was being written at a moment. Where a cluster was put back in time, the archive holds what was
 * abandoned then as well: moments before that lie on the timeline that was left.
 */
export function timelineAt(archive: ArchiveFacts, at: number, segmentBytes: bigint): number {
  let current = latestTimeline(archive);
  for (;;) {
    const facts = archive.timelines.find(({ timeline }) => timeline === current);
    const parent = facts?.parents.at(-1);
    if (facts?.begunAt === undefined || parent === undefined || at >= Date.parse(facts.begunAt))
      return current;
    const fork = lsnBytes(parent.endLsn) / segmentBytes;
    const goesOn = archive.ranges.some(
      range => range.timeline === parent.timeline && parseSegment(range.last, segmentBytes).number >= fork,
    );
    // A timeline that ended where the next one began holds nothing that the next one lacks.
    if (!goesOn && !isOlder(archive, parent.timeline, at)) return current;
    current = parent.timeline;
  }
}

/** The moment lies before the beginning of the parent as well: then its own parent decides. */
function isOlder({ timelines }: ArchiveFacts, timeline: number, at: number): boolean {
  const begun = timelines.find(facts => facts.timeline === timeline)?.begunAt;
  return begun !== undefined && at < Date.parse(begun);
}

export function segmentBytesOf(sets: readonly BackupSet[]): bigint {
  // The latest position is the least ambiguous.
  const known = sets.at(-1);
  return segmentBytesFrom(known && { lsn: known.lsn.start, segment: known.wal.first });
}
