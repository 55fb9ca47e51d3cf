import type { LogLine } from '../../contract.ts';
import type { StampedLine } from '../api/podLog.ts';

/** A line of one pod. */
export interface PodLine extends StampedLine {
  component: string;
}

/** Lines of several pods, each in its own order, in one. Stable: lines of one pod that bear the same time keep their order. */
export function inOrder(lines: readonly PodLine[]): PodLine[] {
  return lines.toSorted((a, b) => (a.stamp < b.stamp ? -1 : a.stamp > b.stamp ? 1 : 0));
}

/** What was asked for of all that is kept: from a moment on, and no more than the last ones. */
export function selected(
  lines: readonly PodLine[],
  { from, tail }: { from: string; tail: number | undefined },
): PodLine[] {
  const later = inOrder(lines).filter(line => line.stamp >= from);
  return tail === undefined ? later : later.slice(Math.max(0, later.length - tail));
}

export function asLogLine({ stamp, component, text }: PodLine): LogLine {
  return { at: `${stamp.slice(0, 23)}Z`, component, text };
}
