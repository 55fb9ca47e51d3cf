import type { Diagnostic } from './diagnostic.ts';
import { isWithin, type Path, pathText } from './path.ts';
import type { Place } from './yamlTree.ts';

/** What a check says; the position is looked up from the path. */
export interface Finding {
  code: string;
  message: string;
  hint: string;
}

/** Which part of a map entry the finding is about. A missing or empty value always points at its key. */
type Anchor = 'value' | 'key';

/** Line and column (from 1) of an offset. */
export class LineIndex {
  readonly #starts: number[] = [0];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  at(offset: number): { line: number; column: number } {
    const wanted = Math.min(Math.max(offset, 0), this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: wanted - (this.#starts[low] ?? 0) + 1 };
  }
}

/** Collects everything that is to be said about one manifest, each with its place in the text. */
export class Findings {
  readonly #lines: LineIndex;
  readonly #found: { path: Path; diagnostic: Diagnostic }[] = [];

  #root: Place | undefined;

  constructor(lines: LineIndex) {
    this.#lines = lines;
  }

  /** From here on paths can be found in the text; before that only offsets can. */
  locateIn(root: Place): void {
    this.#root = root;
  }

  error(path: Path, finding: Finding, anchor: Anchor = 'value'): void {
    this.#add('error', path, finding, this.#offsetOf(path, anchor));
  }

  warn(path: Path, finding: Finding, anchor: Anchor = 'value'): void {
    this.#add('warning', path, finding, this.#offsetOf(path, anchor));
  }

  /** For what YAML itself reports: it knows the offset and has no path. */
  errorAt(offset: number, path: Path, finding: Finding): void {
    this.#add('error', path, finding, offset);
  }

  /** A number or boolean as typed: `0010`, `no`. Undefined for strings and for what is not in the text. */
  writtenAt(path: Path): string | undefined {
    return path.reduce<Place | undefined>((place, part) => place?.children?.get(part), this.#root)?.written;
  }

  /** True when an error was found at `path` itself. */
  hasErrorAt(path: Path): boolean {
    return this.hasErrorWithin(path, path.length);
  }

  /** True when an error was found at `path` or below: what depends on that value cannot be judged. */
  hasErrorWithin(path: Path, maxLength = Number.POSITIVE_INFINITY): boolean {
    return this.#found.some(
      found =>
        found.diagnostic.severity === 'error' && found.path.length <= maxLength && isWithin(found.path, path),
    );
  }

  /** All findings of one severity, in the order of the text. */
  list(severity: Diagnostic['severity']): Diagnostic[] {
    return this.#found
      .map(entry => entry.diagnostic)
      .filter(diagnostic => diagnostic.severity === severity)
      .sort((a, b) => a.line - b.line || a.column - b.column);
  }

  #add(severity: Diagnostic['severity'], path: Path, finding: Finding, offset: number): void {
    const text = shown(pathText(path));
    const message = shown(finding.message);
    // One value can break a rule of its type and one of its meaning in the same words.
    const repeated = this.#found.some(
      ({ diagnostic }) =>
        diagnostic.path === text && diagnostic.code === finding.code && diagnostic.message === message,
    );
    if (repeated) return;
    const { line, column } = this.#lines.at(offset);
    this.#found.push({
      path,
      diagnostic: {
        severity,
        code: finding.code,
        path: text,
        line,
        column,
        message,
        hint: shown(finding.hint),
      },
    });
  }

  /** The nearest place that exists: for a missing key that is its parent. */
  #offsetOf(path: Path, anchor: Anchor): number {
    let place = this.#root;
    if (place === undefined) return 0;
    for (const part of path) {
      const next: Place | undefined = place.children?.get(part);
      if (next === undefined) return place.keyStart ?? place.start;
      place = next;
    }
    if (anchor === 'key' || place.empty) return place.keyStart ?? place.start;
    return place.start;
  }
}

const maxShown = 400;

/** Findings quote the manifest, and end up on terminals: no escape sequence and no flood may pass. */
function shown(text: string): string {
  const clean = text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    char => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return clean.length > maxShown ? `${clean.slice(0, maxShown)}…` : clean;
}
