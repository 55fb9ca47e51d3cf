/** Figures for people, from kept runs. */
import { type Summary, summarize } from '../../src/core/drill/statistics.ts';
import type { KeptRun, Results } from './results.ts';
import type { SystemName } from './systems.ts';

type Measured = Results['faults'][string]['systems'][SystemName];

/** Not measured. */
export const NOTHING = '–';

/** "1.05 [0.98..1.31]", in seconds. */
export function outage(measured: Measured, of: (run: KeptRun) => number | null): string {
  const runs = measured?.runs ?? [];
  if (runs.length === 0) return (measured?.failures.length ?? 0) > 0 ? 'no report' : NOTHING;
  const { median, min, max, missing } = summarize(runs.map(run => of(run) ?? undefined));
  const never = missing === 0 ? '' : `, ${missing} never`;
  if (median === undefined) return 'never';
  return `${range({ median, min, max })}${never}`;
}

/** "1.05 [0.98..1.31]", in seconds: outages on one path. */
export function onPath(measured: Measured, path: string): string {
  const { median, min, max } = summarize((measured?.runs ?? []).map(run => run.paths[path]));
  return median === undefined ? NOTHING : range({ median, min, max });
}

/** From the fault; where it has to be taken back first, from then on. Milliseconds; null: never. */
export function mended({ wholeAfterMs, undoneAfterMs }: KeptRun): number | null {
  return wholeAfterMs === null ? null : wholeAfterMs - (undoneAfterMs ?? 0);
}

/** A number in each run, added up. */
export function total(measured: Measured, of: (run: KeptRun) => number): string {
  const runs = measured?.runs ?? [];
  if (runs.length === 0) return NOTHING;
  return String(runs.reduce((sum, run) => sum + of(run), 0));
}

/** "17 [3..212]" */
export function each(measured: Measured, of: (run: KeptRun) => number): string {
  const runs = measured?.runs ?? [];
  const { median, min, max } = summarize(runs.map(of));
  if (median === undefined) return NOTHING;
  return min === max ? String(median) : `${median} [${min}..${max}]`;
}

/** Runs with a report, and those without one. */
export function tally(measured: Measured): string {
  const { runs = [], failures = [] } = measured ?? {};
  if (runs.length + failures.length === 0) return NOTHING;
  return failures.length === 0 ? String(runs.length) : `${runs.length} + ${failures.length} failed`;
}

function range({ median, min, max }: Pick<Summary, 'median' | 'min' | 'max'>): string {
  const seconds = (ms: number | undefined) => ((ms ?? 0) / 1000).toFixed(2);
  return min === max ? seconds(median) : `${seconds(median)} [${seconds(min)}..${seconds(max)}]`;
}
