/** Reports as one HTML page each: pure functions, no network, no script. */
export { linePlot } from './linePlot.ts';
export { type Content, list, paragraph } from './markup.ts';
export { page, type Section } from './page.ts';
export { type CellState, strip } from './strip.ts';
export { table } from './table.ts';
