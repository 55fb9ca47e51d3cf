import type { Diagnostic } from './diagnostic.ts';
import { type ParsedManifest, type Platform, parseManifest } from './parse.ts';
import type { ClusterSpec } from './spec.ts';

/** A sound manifest whose `spec` ends with the given lines (written as they would be, without indentation). */
export function manifestWith(specLines = '', options: { instances?: number; name?: string } = {}): string {
  const lines = [
    'apiVersion: acid.zalan.do/v1',
    'kind: postgresql',
    'metadata:',
    `  name: ${options.name ?? 'herd'}`,
    'spec:',
    `  numberOfInstances: ${options.instances ?? 3}`,
    '  volume: { size: 1Gi }',
    ...(specLines.includes('postgresql:') ? [] : ['  postgresql: { version: "16" }']),
    ...specLines.split('\n').map(line => (line === '' ? line : `  ${line}`)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The spec of a manifest that must be fine; otherwise an error that shows what was found. */
export function specOf(text: string, platform: Platform = 'local'): ClusterSpec {
  const parsed = parseManifest(text, { platform });
  if (!parsed.ok) throw new Error(parsed.errors.map(show).join('\n'));
  return parsed.spec;
}

/** With 'kubernetes', what the operator cannot do is left out: then only the format itself speaks. */
export function errorsOf(text: string, platform: Platform = 'local'): Diagnostic[] {
  return judged(text, platform).filter(found => found.severity === 'error');
}

/** All findings, short enough to compare in a table: `error unknown-field spec.user`. As `errorsOf`. */
export function findingsOf(text: string, platform: Platform = 'local'): string[] {
  return judged(text, platform).map(({ severity, code, path }) => `${severity} ${code} ${path}`);
}

function judged(text: string, platform: Platform): Diagnostic[] {
  return all(parseManifest(text, { platform })).filter(found => found.code !== 'not-supported-by-operator');
}

export function all(parsed: ParsedManifest): Diagnostic[] {
  return parsed.ok ? parsed.warnings : [...parsed.errors, ...parsed.warnings];
}

function show(diagnostic: Diagnostic): string {
  return `${diagnostic.line}:${diagnostic.column} ${diagnostic.path}: ${diagnostic.message} (${diagnostic.hint})`;
}
