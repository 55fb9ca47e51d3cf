/** Arithmetic of the write-ahead log: positions, and the names of the segments that hold them. */

/** Segments have this size unless initdb was told otherwise. */
const DEFAULT_SEGMENT_BYTES = 16n * 1024n * 1024n;
const SMALLEST_SEGMENT_BYTES = 1024n * 1024n;
const LARGEST_SEGMENT_BYTES = 1024n * 1024n * 1024n;
/** The last two numbers of a segment's name count within this much. */
const LOG_BYTES = 0x1_0000_0000n;

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

export function isLsn(text: string): boolean {
  return LSN.test(text);
}

/** "0/5018088" as bytes since the beginning of all WAL. Throws a RangeError on anything else. */
export function lsnBytes(lsn: string): bigint {
  const [, high, low] = LSN.exec(lsn) ?? [];
  if (high === undefined || low === undefined) throw new RangeError(`"${lsn}" is no position in the WAL`);
  return BigInt(`0x${high}`) * LOG_BYTES + BigInt(`0x${low}`);
}

export function lsnText(bytes: bigint): string {
  return `${(bytes / LOG_BYTES).toString(16)}/${(bytes % LOG_BYTES).toString(16)}`.toUpperCase();
}

export interface Segment {
  timeline: number;
  /** How many segments lie before it. */
  number: bigint;
}

/** The 24 digits of a segment's name, as numbers. */
export function parseSegment(name: string, segmentBytes: bigint): Segment {
  if (!/^[0-9A-F]{24}$/.test(name)) throw new RangeError(`"${name}" is no WAL segment`);
  const log = BigInt(`0x${name.slice(8, 16)}`);
  const within = BigInt(`0x${name.slice(16)}`);
  return {
    timeline: Number.parseInt(name.slice(0, 8), 16),
    number: log * (LOG_BYTES / segmentBytes) + within,
  };
}

export function segmentName({ timeline, number }: Segment, segmentBytes: bigint): string {
  const perLog = LOG_BYTES / segmentBytes;
  return [BigInt(timeline), number / perLog, number % perLog]
    .map(part => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

/** The segment that holds a position. */
export function segmentAt(timeline: number, lsn: bigint, segmentBytes: bigint): Segment {
  return { timeline, number: lsn / segmentBytes };
}

/** Names of segments from one to another of the same timeline, at most `limit`. */
export function segmentsBetween(first: string, last: string, segmentBytes: bigint, limit: number): string[] {
  const { timeline, number } = parseSegment(first, segmentBytes);
  const end = parseSegment(last, segmentBytes).number;
  const count = Math.min(limit, Number(end - number) + 1);
  return Array.from({ length: count }, (_, n) =>
    segmentName({ timeline, number: number + BigInt(n) }, segmentBytes),
  );
}

/** The size of segments, from one position of which the segment's name is known. */
export function segmentBytesFrom(known: { lsn: string; segment: string } | undefined): bigint {
  if (known === undefined) return DEFAULT_SEGMENT_BYTES;
  const at = lsnBytes(known.lsn);
  const timeline = Number.parseInt(known.segment.slice(0, 8), 16);
  const fits = (size: bigint) => segmentName(segmentAt(timeline, at, size), size) === known.segment;
  // Low positions fit several sizes: then the usual one is the likeliest.
  if (fits(DEFAULT_SEGMENT_BYTES)) return DEFAULT_SEGMENT_BYTES;
  for (let size = SMALLEST_SEGMENT_BYTES; size <= LARGEST_SEGMENT_BYTES; size *= 2n) {
    if (fits(size)) return size;
  }
  return DEFAULT_SEGMENT_BYTES;
}
