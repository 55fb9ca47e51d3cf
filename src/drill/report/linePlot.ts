import { element, group, type Markup } from './markup.ts';
import { figure, moment, ticks, timeTicks } from './scale.ts';
import { SERIES_COLOURS } from './style.ts';

export interface Series {
  name: string;
  /** In the order of x. x: seconds since the beginning. y undefined: nothing to show, the line has a hole. */
  points: readonly { x: number; y: number | undefined }[];
}

/** A moment with a name: a fault was injected, a phase began. */
export interface Mark {
  seconds: number;
  label: string;
}

export interface LinePlotOptions {
  title: string;
  /** Of y: `statements/s`, `ms`. */
  unit: string;
  marks?: readonly Mark[] | undefined;
  /** Where the time axis ends; default: the last point. */
  seconds?: number | undefined;
}

const WIDTH = 760;
const HEIGHT = 220;
const LEFT = 52;
const RIGHT = WIDTH - 10;
const TOP = 24;
const BOTTOM = HEIGHT - 24;

/** Figures over time, as SVG: y from 0, one colour per series, their maxima in the legend. */
export function linePlot(series: readonly Series[], options: LinePlotOptions): Markup {
  const { title, unit, marks = [] } = options;
  const all = series.flatMap(({ points }) => points);
  const end = options.seconds ?? Math.max(1e-9, ...all.map(({ x }) => x));
  const levels = ticks(Math.max(0, ...all.map(({ y }) => y ?? 0)), 5);
  const highest = levels.at(-1) ?? 1;
  const placeX = (x: number): number => LEFT + (x / end) * (RIGHT - LEFT);
  const placeY = (y: number): number => BOTTOM - (y / highest) * (BOTTOM - TOP);

  const grid = levels.flatMap(level => [
    element('line', { class: 'axis', x1: LEFT, x2: RIGHT, y1: placeY(level), y2: placeY(level) }),
    element('text', { x: LEFT - 6, y: placeY(level) + 4, 'text-anchor': 'end' }, figure(level)),
  ]);
  const times = timeTicks(end, 8).map(at =>
    element('text', { x: placeX(at), y: HEIGHT - 8, 'text-anchor': 'middle' }, moment(at, end)),
  );
  const lines = series.flatMap(({ name, points }, i) =>
    pieces(points).map(piece =>
      element(
        'polyline',
        {
          points: piece.map(({ x, y }) => `${placeX(x).toFixed(1)},${placeY(y).toFixed(1)}`).join(' '),
          fill: 'none',
          stroke: colour(i),
          'stroke-width': piece.length === 1 ? 4 : 1.8,
          'stroke-linecap': 'round',
          'stroke-linejoin': 'round',
        },
        element('title', {}, name),
      ),
    ),
  );
  return element(
    'figure',
    {},
    element('figcaption', {}, title),
    element(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${title}, ${unit}` },
      element('text', { x: LEFT, y: 12 }, unit),
      ...grid,
      ...times,
      markLines(marks, placeX, TOP, BOTTOM),
      ...lines,
    ),
    element('div', { class: 'legend' }, ...series.map((one, i) => legend(one, i, unit))),
  );
}

/** Vertical lines with their labels, for whoever has a time axis. */
export function markLines(
  marks: readonly Mark[],
  placeX: (seconds: number) => number,
  top: number,
  bottom: number,
): Markup {
  return group(
    ...marks.flatMap(({ seconds, label }) => [
      element('line', {
        class: 'mark',
        x1: placeX(seconds),
        x2: placeX(seconds),
        y1: top,
        y2: bottom,
      }),
      element('text', { x: placeX(seconds) + 3, y: top + 9 }, label),
    ]),
  );
}

function legend({ name, points }: Series, index: number, unit: string): Markup {
  const values = points.flatMap(({ y }) => (y === undefined ? [] : [y]));
  const extent = values.length === 0 ? 'nothing' : `at most ${figure(Math.max(...values))} ${unit}`;
  return element('span', {}, element('i', { style: `background: ${colour(index)}` }), `${name} (${extent})`);
}

function colour(index: number): string {
  return `var(--s${index % SERIES_COLOURS})`;
}

/** Stretches without a hole. */
function pieces(points: Series['points']): { x: number; y: number }[][] {
  const found: { x: number; y: number }[][] = [];
  let hole = true;
  for (const { x, y } of points) {
    if (y !== undefined && hole) found.push([]);
    if (y !== undefined) found.at(-1)?.push({ x, y });
    hole = y === undefined;
  }
  return found;
}
