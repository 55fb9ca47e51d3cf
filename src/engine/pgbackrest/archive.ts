import { z } from 'zod';
import type { ArchiveFacts, SegmentRange, TimelineFacts } from '../../core/schedule/facts.ts';
import { lsnBytes, parseSegment, segmentName } from '../../core/schedule/wal.ts';
import { PgherdError } from '../../lib/errors.ts';

const listing = z.record(
  z.string(),
  z.object({ type: z.string(), size: z.number().optional(), time: z.number().optional() }),
);

export interface ArchiveListing {
  /** Names of whole segments, sorted. */
  segments: string[];
  /** History files by timeline, with the path below the archive of the stanza. */
  histories: { timeline: number; path: string; at: string | undefined }[];
}

/** Reads `repo-ls --recurse --output=json archive/STANZA`. */
export function parseListing(text: string): ArchiveListing {
  let found: z.infer<typeof listing>;
  try {
    found = listing.parse(JSON.parse(text));
  } catch (cause) {
    throw new PgherdError({
      code: 'pgbackrest-unknown-answer',
      message: 'what pgBackRest says of its archive cannot be understood',
      hint: 'this version of pgBackRest may be too new',
      cause,
    });
  }
  const segments = new Set<string>();
  const histories: ArchiveListing['histories'] = [];
  for (const [path, { type, time }] of Object.entries(found)) {
    if (type !== 'file') continue;
    const name = path.slice(path.lastIndexOf('/') + 1);
    // Checksum and suffix of the compression follow a segment's name; a partial one has a word in between.
    const segment = /^([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$/.exec(name)?.[1];
    if (segment !== undefined) segments.add(segment);
    const timeline = /^([0-9A-F]{8})\.history$/.exec(name)?.[1];
    if (timeline !== undefined) {
      const at = time === undefined ? undefined : new Date(time * 1000).toISOString();
      histories.push({ timeline: Number.parseInt(timeline, 16), path, at });
    }
  }
  histories.sort((a, b) => a.timeline - b.timeline);
  return { segments: [...segments].sort(), histories };
}

/** Whole segments without gaps. `segmentBytes`: their size in this cluster. */
export function rangesOf(segments: readonly string[], segmentBytes: bigint): SegmentRange[] {
  const ranges: SegmentRange[] = [];
  let expected: string | undefined;
  for (const name of [...segments].sort()) {
    const at = parseSegment(name, segmentBytes);
    const last = ranges.at(-1);
    if (last !== undefined && name === expected) {
      last.last = name;
      last.count++;
    } else ranges.push({ timeline: at.timeline, first: name, last: name, count: 1 });
    expected = segmentName({ ...at, number: at.number + 1n }, segmentBytes);
  }
  return ranges;
}

/** Reads a history file: the timelines before it, and where each ended. Lines that are none are left out. */
export function parseHistory(timeline: number, text: string, begunAt: string | undefined): TimelineFacts {
  const parents = text.split('\n').flatMap(line => {
    const [, parent, endLsn] = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line) ?? [];
    return parent === undefined || endLsn === undefined ? [] : [{ timeline: Number(parent), endLsn }];
  });
  return { timeline, parents: parents.sort((a, b) => compare(a.endLsn, b.endLsn)), begunAt };
}

/** What is older than so many segments was either archived, or is gone everywhere. */
const LOOK_BACK = 256n;

/**
 * Segments before the end of the last of these timelines that an archive should hold and does not, each by the name of
 * the timeline that it is of. `held`: sorted, of all timelines. `parents`: as a history file has them, oldest first.
 */
export function missingBefore(
  held: readonly string[],
  parents: TimelineFacts['parents'],
  segmentBytes: bigint,
): string[] {
  const [first] = held;
  const last = parents.at(-1);
  if (first === undefined || last === undefined) return [];
  const endOf = ({ endLsn }: { endLsn: string }) => lsnBytes(endLsn) / segmentBytes;
  const end = endOf(last);
  const oldest = parseSegment(first, segmentBytes).number;
  const from = oldest > end - LOOK_BACK ? oldest : end - LOOK_BACK;
  const have = new Set(held.map(segment => segment.slice(8)));
  const missing: string[] = [];
  for (let number = from; number < end; number++) {
    const { timeline } = parents.find(parent => number < endOf(parent)) ?? last;
    const segment = segmentName({ timeline, number }, segmentBytes);
    // Of another timeline it is as good: that one holds the parent's part as well.
    if (!have.has(segment.slice(8))) missing.push(segment);
  }
  return missing;
}

export function archiveFacts(
  { segments }: Pick<ArchiveListing, 'segments'>,
  timelines: TimelineFacts[],
  segmentBytes: bigint,
): ArchiveFacts {
  return { ranges: rangesOf(segments, segmentBytes), timelines };
}

function compare(a: string, b: string): number {
  const [left, right] = [lsnBytes(a), lsnBytes(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
