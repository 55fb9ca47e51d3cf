import type { ReadRecord, WriteRecord } from './history.ts';
import { errorClass } from './outcome.ts';
import { ascending, percentile } from './statistics.ts';

/** A request and how it ended, write or read; a write as it is in the journal is one. Times: Unix milliseconds. */
export type Answer = Pick<WriteRecord, 'path' | 'sentAt' | 'endedAt' | 'outcome' | 'code'>;

/** Reads as answers. A read that failed changed nothing, whatever its code: it is never unknown. */
export function answersOf(reads: ReadRecord[]): Answer[] {
  return reads.map(({ path, sentAt, endedAt, ok, code }) => ({
    path,
    sentAt,
    endedAt,
    code,
    outcome: ok ? 'acknowledged' : 'failed',
  }));
}

/** A part of a drill, in Unix milliseconds. */
export interface Window {
  from: number;
  to: number;
}

export interface Gap extends Window {
  ms: number;
}

export interface Outages {
  /** No answer on any path: what a client that may choose would have seen. */
  all: Gap;
  /** The longest of all paths: what the worst served client has seen. The same as `all` without paths. */
  worst: Gap;
  /** By name of the path. */
  paths: { path: string; gap: Gap }[];
}

/**
 * Outages as clients see them: the longest time without an acknowledgement, on each path (all its connections
 * together) and over all of them. A path without a single acknowledgement was out all the time.
 */
export function outages(answers: Answer[], window: Window): Outages {
  const byPath = new Map<string, number[]>();
  const every: number[] = [];
  for (const { path, outcome, endedAt } of answers) {
    const times = byPath.get(path) ?? [];
    byPath.set(path, times);
    if (outcome !== 'acknowledged') continue;
    times.push(endedAt);
    every.push(endedAt);
  }
  const paths = [...byPath.keys()].sort().map(path => ({
    path,
    gap: longestGap(byPath.get(path) ?? [], window),
  }));
  const all = longestGap(every, window);
  const worst = paths.reduce((longest, { gap }) => (gap.ms > longest.ms ? gap : longest), all);
  return { all, worst, paths };
}

/**
 * The longest time between two moments of the window in which nothing happened; the first of equals. The edges count:
 * from `from` to the first moment, from the last one to `to`. Moments outside the window, in any order, do not.
 */
export function longestGap(moments: Iterable<number>, { from, to }: Window): Gap {
  let longest: Gap = { from, to: from, ms: 0 };
  let last = from;
  const reach = (moment: number) => {
    if (moment - last > longest.ms) longest = { from: last, to: moment, ms: moment - last };
    last = moment;
  };
  for (const moment of ascending(moments)) if (moment >= from && moment <= to) reach(moment);
  reach(to);
  return longest;
}

/** Answers per bucket of `bucketMs`, from `from` on; the three lists are equally long. */
export interface Strip {
  from: number;
  bucketMs: number;
  acknowledged: number[];
  failed: number[];
  unknown: number[];
}

/** The availability strip. An answer counts when it came; one that never came, when it was asked for. */
export function availabilityStrip(answers: Answer[], { from, to }: Window, bucketMs = 100): Strip {
  const buckets = Math.max(0, Math.ceil((to - from) / bucketMs));
  const empty = () => new Array<number>(buckets).fill(0);
  const strip: Strip = { from, bucketMs, acknowledged: empty(), failed: empty(), unknown: empty() };
  for (const { sentAt, endedAt, outcome } of answers) {
    const bucket = Math.floor(((Number.isFinite(endedAt) ? endedAt : sentAt) - from) / bucketMs);
    const counts = strip[outcome];
    const count = counts[bucket];
    if (count !== undefined) counts[bucket] = count + 1;
  }
  return strip;
}

export interface ErrorCount {
  code: string | undefined;
  /** See errorClass. */
  class: string;
  title: string;
  failed: number;
  unknown: number;
}

/** What was not acknowledged, by code, most frequent first. */
export function errorsByCode(answers: Answer[]): ErrorCount[] {
  const counts = new Map<string | undefined, ErrorCount>();
  for (const { outcome, code } of answers) {
    if (outcome === 'acknowledged') continue;
    const count = counts.get(code) ?? { code, ...errorClass(code), failed: 0, unknown: 0 };
    count[outcome] += 1;
    counts.set(code, count);
  }
  const total = ({ failed, unknown }: ErrorCount) => failed + unknown;
  return [...counts.values()].sort(
    (a, b) => total(b) - total(a) || (a.code ?? '').localeCompare(b.code ?? ''),
  );
}

/** Errors of requests that were not under way at any of `moments` (the faults' injections). */
export function errorsBeyondInFlight(answers: Answer[], moments: number[]): number {
  return answers.filter(
    ({ outcome, sentAt, endedAt }) =>
      outcome !== 'acknowledged' && !moments.some(moment => sentAt <= moment && moment <= endedAt),
  ).length;
}

/** Acknowledgements per second; 0 for an empty window. */
export function throughput(answers: Answer[], { from, to }: Window): number {
  if (to <= from) return 0;
  const acknowledged = answers.filter(
    ({ outcome, endedAt }) => outcome === 'acknowledged' && endedAt >= from && endedAt <= to,
  );
  return (acknowledged.length * 1000) / (to - from);
}

/** Percentiles by nearest rank, in the unit of the values; undefined without values. */
export interface Latency {
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
  max: number | undefined;
}

export function latency(values: Iterable<number>): Latency {
  const sorted = ascending(values);
  return {
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    max: sorted.at(-1),
  };
}

/** How long acknowledged answers took, in milliseconds. */
export function durations(answers: Answer[]): number[] {
  return answers
    .filter(({ outcome }) => outcome === 'acknowledged')
    .map(({ sentAt, endedAt }) => endedAt - sentAt);
}
