/** Reports as one HTML page each: pure functions, no network, no script. */
export { type LinePlotOptions, linePlot, type Mark, type Series } from './linePlot.ts';
export { type Content, list, type Markup, paragraph } from './markup.ts';
export { type PageFacts, page, type Section } from './page.ts';
export { type CellState, type StripOptions, strip } from './strip.ts';
export { type TableOptions, table } from './table.ts';
