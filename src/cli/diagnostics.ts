import type { Diagnostic } from '../core/manifest/diagnostic.ts';
import { createLook, type Look } from './text/look.ts';

const PLAIN = createLook(false);

/** Longest piece of a source line that is shown. */
const EXCERPT = 100;

/** `file:line:column: error: message (path)` with the line it is about, a caret and the hint. */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  file: string,
  source: string,
  look: Look = PLAIN,
): string {
  const { line, column, hint } = diagnostic;
  const lines = [headline(diagnostic, file, look)];
  const text = source.split(/\r?\n/)[line - 1];
  if (text !== undefined && text.trim() !== '') {
    // A tab is as wide as the terminal likes: one blank each keeps the caret in its column.
    const shown = text.replaceAll('\t', ' ').slice(0, EXCERPT);
    const number = String(line).padStart(5);
    lines.push(`${look.faint(`${number} |`)} ${shown}`);
    if (column - 1 <= shown.length)
      lines.push(`${look.faint('      |')} ${' '.repeat(column - 1)}${look.strong('^')}`);
  }
  if (hint !== '') lines.push(`      ${look.strong('hint:')} ${hint}`);
  return lines.join('\n');
}

/** A finding in one or two lines, for warnings beside a result. */
export function renderShortDiagnostic(diagnostic: Diagnostic, file: string, look: Look = PLAIN): string {
  const hint = diagnostic.hint === '' ? [] : [`  ${look.strong('hint:')} ${diagnostic.hint}`];
  return [headline(diagnostic, file, look), ...hint].join('\n');
}

function headline({ severity, path, line, column, message }: Diagnostic, file: string, look: Look): string {
  const word = severity === 'error' ? look.bad('error:') : look.caution('warning:');
  return `${look.strong(`${file}:${line}:${column}:`)} ${word} ${message}${path === '' ? '' : look.faint(` (${path})`)}`;
}
