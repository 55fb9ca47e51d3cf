import type { Findings } from './findings.ts';
import type { Path } from './path.ts';
import type { ManifestSource } from './schema.ts';
import { localSupport, type Treatment } from './supportTable.ts';

/**
 * The entry of the table that speaks for a field of the schema: its own, or that of a field above it that has no
 * effect at all. Undefined: forgotten, which a test prevents.
 */
export function treatmentOf(path: string): { from: string; treatment: Treatment } | undefined {
  const own = localSupport[path];
  if (own !== undefined) return { from: path, treatment: own };
  for (const [from, treatment] of Object.entries(localSupport)) {
    const above = path.startsWith(`${from}.`) || path.startsWith(`${from}[]`);
    if (above && treatment.how !== 'acted') return { from, treatment };
  }
  return undefined;
}

/**
 * Reports every field of the manifest that one machine cannot honour: a warning that says what happens instead,
 * or an error where going on would make something else than was asked for.
 */
export function judgeLocally(source: ManifestSource, findings: Findings): void {
  for (const [pattern, treatment] of Object.entries(localSupport)) {
    if (treatment.how === 'acted') continue;
    for (const { path, value } of matches(source, pattern)) judge(path, value, treatment, findings);
  }
}

function judge(path: Path, value: unknown, treatment: Treatment, findings: Findings): void {
  if (isNothing(value) || treatment.harmless?.some(harmless => harmless === value)) return;
  const field = String(path.at(-1));
  if (treatment.how === 'refused') {
    findings.error(
      path,
      {
        code: 'not-supported-locally',
        message: `${field} is not possible on one machine: ${treatment.says}`,
        hint: treatment.hint ?? 'delete it',
      },
      'key',
    );
    return;
  }
  findings.warn(
    path,
    { code: 'not-supported-locally', message: `${field} has no effect on one machine`, hint: treatment.says },
    'key',
  );
}

/** Empty lists and maps, like empty values, ask for nothing. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The values of a manifest at a pattern of the table; `*` is every key of a map. */
function matches(source: unknown, pattern: string): { path: Path; value: unknown }[] {
  let found: { path: Path; value: unknown }[] = [{ path: [], value: source }];
  for (const part of pattern.split('.')) {
    found = found.flatMap(({ path, value }) => {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
      const entries: [string, unknown][] = Object.entries(value);
      return entries
        .filter(([key]) => part === '*' || part === key)
        .map(([key, child]) => ({ path: [...path, key], value: child }));
    });
  }
  return found;
}
