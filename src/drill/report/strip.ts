import { type Mark, markLines } from './linePlot.ts';
import { element, type Markup } from './markup.ts';
import { moment } from './scale.ts';

/** What clients met in one stretch of time: acknowledgements, failures only, or nothing at all. */
export type CellState = 'acknowledged' | 'failed' | 'none';

export interface StripOptions {
  title: string;
  /** Default: 100 ms. */
  cellMs?: number | undefined;
  marks?: readonly Mark[] | undefined;
}

const WIDTH = 760;
const LEFT = 52;
const RIGHT = WIDTH - 10;
const BAR = 22;
const LABELS = 14;
const CELLS_PER_ROW = 600;
const MAX_ROWS = 10;
const WORDS: Readonly<Record<CellState, string>> = {
  acknowledged: 'acknowledged',
  failed: 'failures only',
  none: 'no answer at all',
};

/**
 * Availability over time, as SVG: a cell per 100 ms. What is too long for ten rows gets coarser cells, in which
 * the worst one shows.
 */
export function strip(cells: readonly CellState[], options: StripOptions): Markup {
  const factor = Math.max(1, Math.ceil(cells.length / (CELLS_PER_ROW * MAX_ROWS)));
  const cellMs = (options.cellMs ?? 100) * factor;
  const shown = coarsen(cells, factor);
  const perRow = Math.min(CELLS_PER_ROW, Math.max(1, shown.length));
  const rows = Math.max(1, Math.ceil(shown.length / perRow));
  const height = rows * (BAR + LABELS);
  const cellWidth = (RIGHT - LEFT) / perRow;
  const total = (shown.length * cellMs) / 1000;
  const parts: Markup[] = [];
  for (let row = 0; row < rows; row++) {
    const y = row * (BAR + LABELS) + LABELS;
    const first = row * perRow;
    const from = (first * cellMs) / 1000;
    const until = from + (perRow * cellMs) / 1000;
    parts.push(element('text', { x: LEFT - 6, y: y + 15, 'text-anchor': 'end' }, moment(from, total)));
    for (const run of runs(shown.slice(first, first + perRow))) {
      const begin = from + (run.start * cellMs) / 1000;
      const says = `${WORDS[run.state]}: ${begin.toFixed(1)} s to ${(begin + (run.length * cellMs) / 1000).toFixed(1)} s`;
      parts.push(
        element(
          'rect',
          {
            x: LEFT + run.start * cellWidth,
            y,
            // A lone cell has to be seen.
            width: Math.max(run.state === 'acknowledged' ? 0 : 1.2, run.length * cellWidth),
            height: BAR,
            fill: `var(--${run.state})`,
          },
          element('title', {}, says),
        ),
      );
    }
    const here = (options.marks ?? []).filter(({ seconds }) => seconds >= from && seconds < until);
    const placeX = (seconds: number): number => LEFT + (((seconds - from) * 1000) / cellMs) * cellWidth;
    parts.push(markLines(here, placeX, y - LABELS + 2, y + BAR));
  }
  const unit = cellMs < 1000 ? `${cellMs} ms` : `${cellMs / 1000} s`;
  return element(
    'figure',
    {},
    element('figcaption', {}, `${options.title} (a cell is ${unit})`),
    element(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': `${options.title}: ${summary(cells)}` },
      ...parts,
    ),
    element('div', { class: 'legend' }, ...Object.keys(WORDS).map(state => legend(state as CellState))),
  );
}

/** Cells of `factor` times the length; the worst of those that are joined shows: nothing, then failures. */
export function coarsen(cells: readonly CellState[], factor: number): CellState[] {
  if (factor <= 1) return [...cells];
  return Array.from({ length: Math.ceil(cells.length / factor) }, (_, i) => {
    const joined = cells.slice(i * factor, (i + 1) * factor);
    if (joined.includes('none')) return 'none';
    return joined.includes('failed') ? 'failed' : 'acknowledged';
  });
}

function runs(cells: readonly CellState[]): { state: CellState; start: number; length: number }[] {
  const found: { state: CellState; start: number; length: number }[] = [];
  for (const [i, state] of cells.entries()) {
    const last = found.at(-1);
    if (last?.state === state) last.length++;
    else found.push({ state, start: i, length: 1 });
  }
  return found;
}

function summary(cells: readonly CellState[]): string {
  const share = (state: CellState): string =>
    `${((100 * cells.filter(cell => cell === state).length) / Math.max(1, cells.length)).toFixed(1)} %`;
  return `${share('acknowledged')} acknowledged, ${share('failed')} failures only, ${share('none')} without an answer`;
}

function legend(state: CellState): Markup {
  return element('span', {}, element('i', { style: `background: var(--${state})` }), WORDS[state]);
}
