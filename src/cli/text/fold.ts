/** Lines of at most `width` characters, broken at blanks; a longer word stands alone. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Sentences beside their labels; what does not fit in a line goes on below its beginning. */
export function labelled(rows: readonly (readonly [label: string, text: string])[], width: number): string[] {
  const column = Math.max(0, ...rows.map(([label]) => label.length)) + 4;
  return rows.flatMap(([label, text]) =>
    fold(text, width - column).map((line, i) => `  ${(i === 0 ? label : '').padEnd(column - 2)}${line}`),
  );
}

/** Sentences below a title: indented, the further lines of each a bit more; `mark` stands before each. */
export function bullets(sentences: readonly string[], width: number, mark = ''): string[] {
  const indent = ' '.repeat(2 + mark.length);
  return sentences.flatMap(sentence =>
    fold(sentence, width - indent.length).map((line, i) =>
      i === 0 ? `  ${mark}${line}` : `${indent}${line}`,
    ),
  );
}
