import type { Diagnostic } from '../core/manifest/diagnostic.ts';
import { RefusedError } from '../lib/errors.ts';
import { renderDiagnostic } from './diagnostics.ts';
import { count } from './text/units.ts';

/** The manifest has errors. `detail` shows all of them in their place, `diagnostics` holds them as data. */
export class ManifestInvalidError extends RefusedError {
  readonly diagnostics: Diagnostic[];

  constructor(file: string, text: string, errors: Diagnostic[], warnings: Diagnostic[]) {
    const all = [...errors, ...warnings].sort((a, b) => a.line - b.line || a.column - b.column);
    super({
      code: 'manifest-invalid',
      message: `${file} has ${count(errors.length, 'error')}: nothing was changed`,
      detail: all.map(diagnostic => renderDiagnostic(diagnostic, file, text)).join('\n'),
      hint: `correct ${errors.length === 1 ? 'it' : 'them'} and run the command again`,
    });
    this.diagnostics = all;
  }
}
