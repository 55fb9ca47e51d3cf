import type { WriteRecord } from './history.ts';

/** What the loss of acknowledged writes amounts to. */
export interface Loss {
  writes: number;
  /**
   * WAL from the last kept acknowledgement before the first lost one to the last lost one, added up over the timelines
   * on which writes were lost. undefined: a position is not known, or nothing before the loss was kept on its timeline.
   */
  bytes: number | undefined;
  /** Age: from the first lost acknowledgement to the last one, added up over timelines. One lost write: 0. */
  seconds: number;
}

interface Span {
  firstAt: number;
  lastAt: number;
  /** Positions of the lost; undefined as soon as one is not known. */
  lsn: { first: bigint; last: bigint } | undefined;
  kept: bigint | undefined;
}

/** Adds up the acknowledged writes that `lost` names. Two passes over the journal, in any order. */
export function lossOf(writes: WriteRecord[], lost: (index: number) => boolean): Loss {
  const spans = new Map<number | undefined, Span>();
  let count = 0;
  writes.forEach((write, index) => {
    if (write.outcome !== 'acknowledged' || !lost(index)) return;
    count += 1;
    spans.set(write.timeline, extended(spans.get(write.timeline), write));
  });
  if (count === 0) return { writes: 0, bytes: 0, seconds: 0 };
  writes.forEach((write, index) => {
    if (write.outcome !== 'acknowledged' || write.lsn === undefined || lost(index)) return;
    const span = spans.get(write.timeline);
    if (span?.lsn === undefined || write.lsn >= span.lsn.first) return;
    if (span.kept === undefined || write.lsn > span.kept) span.kept = write.lsn;
  });
  let bytes: number | undefined = 0;
  let milliseconds = 0;
  for (const [timeline, { lsn, kept, firstAt, lastAt }] of spans) {
    milliseconds += lastAt - firstAt;
    const known = timeline !== undefined && lsn !== undefined && kept !== undefined;
    bytes = bytes === undefined || !known ? undefined : bytes + Number(lsn.last - kept);
  }
  return { writes: count, bytes, seconds: milliseconds / 1000 };
}

function extended(span: Span | undefined, { lsn, endedAt }: WriteRecord): Span {
  if (span === undefined) {
    const at = lsn === undefined ? undefined : { first: lsn, last: lsn };
    return { firstAt: endedAt, lastAt: endedAt, lsn: at, kept: undefined };
  }
  if (lsn === undefined) span.lsn = undefined;
  else if (span.lsn !== undefined) {
    if (lsn < span.lsn.first) span.lsn.first = lsn;
    if (lsn > span.lsn.last) span.lsn.last = lsn;
  }
  span.firstAt = Math.min(span.firstAt, endedAt);
  span.lastAt = Math.max(span.lastAt, endedAt);
  return span;
}
