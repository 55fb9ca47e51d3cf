import type { WriteRecord } from './history.ts';

/** Writes that one server acknowledged while another one, ahead of it, acknowledged too. */
export interface DualWindow {
  server: string | undefined;
  timeline: number;
  /** The other server, the one on the newer timeline. */
  newerServer: string | undefined;
  newerTimeline: number;
  /** Unix milliseconds: the first acknowledgement of the newer, the last of the older. */
  from: number;
  to: number;
  /** Acknowledged by the older in between. */
  writes: number;
  /** The ways these writes took: whether a client of an ordinary endpoint was served by both. */
  paths: string[];
}

export interface DualReport {
  dualAcknowledged: number;
  /** Milliseconds of the longest window; 0 without one. */
  windowMs: number;
  /** A window per older server and timeline, earliest first. */
  windows: DualWindow[];
  /** Acknowledgements that name no timeline: of these nothing can be told. */
  unattributed: number;
}

interface Source {
  server: string | undefined;
  timeline: number;
  firstAt: number;
  writes: WriteRecord[];
}

/**
 * Writes acknowledged by two primaries. A write counts when it was sent and acknowledged after the first
 * acknowledgement that another server gave on a newer timeline: by then a client could have seen the newer primary, so
 * no order of events makes both right. A write that was under way at that moment does not count.
 *
 * Two servers on timelines with the same number (both promoted from the same one, each on its own) count too: the one
 * that began to acknowledge later is the newer. An acknowledgement that names a timeline but no server is taken for
 * another server's on a different timeline (a server never goes back to an older one), for the same one's on the same.
 *
 * All times must come from one clock that does not step: the load generator's. Linear in the writes.
 */
export function dualWrites(writes: WriteRecord[]): DualReport {
  const { sources, unattributed } = sourcesOf(writes);
  const windows: DualWindow[] = [];
  for (const older of sources) {
    const newer = firstNewer(older, sources);
    if (newer === undefined) continue;
    const from = newer.firstAt;
    const dual = older.writes.filter(({ sentAt }) => sentAt > from);
    if (dual.length === 0) continue;
    windows.push({
      server: older.server,
      timeline: older.timeline,
      newerServer: newer.server,
      newerTimeline: newer.timeline,
      from,
      to: dual.reduce((last, { endedAt }) => Math.max(last, endedAt), from),
      writes: dual.length,
      paths: [...new Set(dual.map(({ path }) => path))].sort(),
    });
  }
  windows.sort((a, b) => a.from - b.from);
  return {
    dualAcknowledged: windows.reduce((sum, window) => sum + window.writes, 0),
    windowMs: windows.reduce((longest, { from, to }) => Math.max(longest, to - from), 0),
    windows,
    unattributed,
  };
}

/** Acknowledgements by who gave them. */
function sourcesOf(writes: WriteRecord[]): { sources: Source[]; unattributed: number } {
  const sources = new Map<string, Source>();
  let unattributed = 0;
  for (const write of writes) {
    const { outcome, server, timeline, endedAt } = write;
    if (outcome !== 'acknowledged') continue;
    if (timeline === undefined) {
      unattributed += 1;
      continue;
    }
    const key = `${timeline} ${server ?? ''}`;
    const source = sources.get(key);
    if (source === undefined) sources.set(key, { server, timeline, firstAt: endedAt, writes: [write] });
    else {
      source.firstAt = Math.min(source.firstAt, endedAt);
      source.writes.push(write);
    }
  }
  return { sources: [...sources.values()], unattributed };
}

/** Of the sources that supersede this one, the one that began first. */
function firstNewer(older: Source, sources: Source[]): Source | undefined {
  let first: Source | undefined;
  for (const other of sources) {
    if (supersedes(other, older) && (first === undefined || other.firstAt < first.firstAt)) first = other;
  }
  return first;
}

function supersedes(other: Source, older: Source): boolean {
  const named = other.server !== undefined && older.server !== undefined;
  if (named && other.server === older.server) return false;
  if (other.timeline !== older.timeline) return other.timeline > older.timeline;
  if (!named) return false;
  if (other.firstAt !== older.firstAt) return other.firstAt > older.firstAt;
  return String(other.server) > String(older.server);
}
