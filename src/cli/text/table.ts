/** Text, or text with emphasis that must not count towards its width. */
export type Cell = string | { text: string; paint: (text: string) => string };

export interface TableOptions {
  header?: readonly string[] | undefined;
  paintHeader?: ((text: string) => string) | undefined;
  /** Columns with numbers, counted from 0. */
  alignRight?: readonly number[] | undefined;
  /** Spaces before each line. Default: 2. */
  indent?: number | undefined;
}

/** Lines of columns two spaces apart, without trailing blanks. Columns that are empty in all rows vanish. */
export function table(rows: readonly (readonly Cell[])[], options: TableOptions = {}): string[] {
  const { header, alignRight = [], indent = 2, paintHeader = text => text } = options;
  const all = header === undefined ? rows : [header.map(text => ({ text, paint: paintHeader })), ...rows];
  const columns = Math.max(0, ...all.map(row => row.length));
  const shown = Array.from({ length: columns }, (_, i) => i).filter(i =>
    rows.some(row => plain(row[i]) !== ''),
  );
  const widths = new Map(shown.map(i => [i, Math.max(...all.map(row => plain(row[i]).length))]));
  const last = shown.at(-1);

  return all.map(row => {
    const cells = shown.map(i => {
      const text = plain(row[i]);
      const padding = ' '.repeat((widths.get(i) ?? 0) - text.length);
      if (alignRight.includes(i)) return padding + painted(row[i]);
      return i === last ? painted(row[i]) : painted(row[i]) + padding;
    });
    return `${' '.repeat(indent)}${cells.join('  ')}`.trimEnd();
  });
}

function plain(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return typeof cell === 'string' ? cell : cell.text;
}

function painted(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return typeof cell === 'string' ? cell : cell.paint(cell.text);
}
