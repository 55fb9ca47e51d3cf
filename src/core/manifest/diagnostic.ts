/** One finding about a manifest, pointing at the place a person has to edit. Line and column count from 1. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** Stable, kebab-case: `unknown-field`, `wrong-type`, `not-supported-locally`. */
  code: string;
  /** Dotted path: `spec.postgresql.version`, `spec.sidecars[0].image`. */
  path: string;
  line: number;
  column: number;
  message: string;
  /** What to write instead, or what happens instead. */
  hint: string;
}
