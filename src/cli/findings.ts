import { renderShortDiagnostic } from './diagnostics.ts';
import type { Manifest } from './manifest.ts';
import { bullets } from './text/fold.ts';
import type { Look } from './text/look.ts';

/** The section of a result with the manifest's warnings; no line where there are none. */
export function warningLines(manifest: Pick<Manifest, 'warnings' | 'file'>, look: Look): string[] {
  if (manifest.warnings.length === 0) return [];
  const shown = manifest.warnings.flatMap(warning =>
    renderShortDiagnostic(warning, manifest.file, look).split('\n'),
  );
  return ['', look.strong('Warnings'), ...shown.map(line => `  ${line}`)];
}

/** The section of a result with what a person should know of the placement. */
export function noteLines(notes: readonly string[], look: Look, width: number): string[] {
  if (notes.length === 0) return [];
  return ['', look.strong('Notes'), ...bullets(notes, width).map(look.caution)];
}
