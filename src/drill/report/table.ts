import { type Content, element, type Markup } from './markup.ts';

export interface TableOptions {
  header?: readonly string[] | undefined;
  /** Columns with numbers, counted from 0. */
  alignRight?: readonly number[] | undefined;
  /** What the table shows, above it. */
  caption?: string | undefined;
}

/** A table; the first cell of each row names it. Wide ones scroll by themselves. */
export function table(rows: readonly (readonly Content[])[], options: TableOptions = {}): Markup {
  const { header, alignRight = [], caption } = options;
  const classOf = (i: number): string | undefined => (alignRight.includes(i) ? 'number' : undefined);
  const parts: Markup[] = [];
  if (caption !== undefined) parts.push(element('caption', {}, caption));
  if (header !== undefined) {
    const cells = header.map((text, i) => element('th', { scope: 'col', class: classOf(i) }, text));
    parts.push(element('thead', {}, element('tr', {}, ...cells)));
  }
  const body = rows.map(row =>
    element(
      'tr',
      {},
      ...row.map((cell, i) =>
        i === 0
          ? element('th', { scope: 'row', class: classOf(i) }, cell)
          : element('td', { class: classOf(i) }, cell),
      ),
    ),
  );
  parts.push(element('tbody', {}, ...body));
  return element('div', { class: 'wide' }, element('table', {}, ...parts));
}
