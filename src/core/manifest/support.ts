import type { Findings } from './findings.ts';
import type { Path } from './path.ts';
import type { ManifestSource } from './schema.ts';
import { kubernetesExceptions } from './supportKubernetes.ts';
import { localSupport } from './supportTable.ts';
import type { Treatment } from './treatment.ts';

type Table = Readonly<Record<string, Treatment>>;

/**
 * The entry of the table that speaks for a field of the schema: its own, or that of a field above it that has no
 * effect at all. Undefined: forgotten, which a test prevents.
 */
export function treatmentOf(path: string): { from: string; treatment: Treatment } | undefined {
  return entryFor(localSupport, path);
}

/** The same for the operator; undefined: the field has its effect. */
export function exceptionOnKubernetes(path: string): { from: string; treatment: Treatment } | undefined {
  return entryFor(kubernetesExceptions, path);
}

function entryFor(table: Table, path: string): { from: string; treatment: Treatment } | undefined {
  const own = table[path];
  if (own !== undefined) return { from: path, treatment: own };
  for (const [from, treatment] of Object.entries(table)) {
    const above = path.startsWith(`${from}.`) || path.startsWith(`${from}[]`);
    if (above && treatment.how !== 'acted') return { from, treatment };
  }
  return undefined;
}

/** What findings say about a platform. */
interface Words {
  code: string;
  /** Where: "on one machine". */
  where: string;
}

/**
 * Reports every field of the manifest that one machine cannot honour: a warning that says what happens instead,
 * or an error where going on would make something else than was asked for.
 */
export function judgeLocally(source: ManifestSource, findings: Findings): void {
  judgeAll(localSupport, source, { code: 'not-supported-locally', where: 'on one machine' }, findings);
}

/** The same for what the operator does not do. */
export function judgeOnKubernetes(source: ManifestSource, findings: Findings): void {
  const words = { code: 'not-supported-by-operator', where: 'on Kubernetes' };
  judgeAll(kubernetesExceptions, source, words, findings);
}

function judgeAll(table: Table, source: ManifestSource, words: Words, findings: Findings): void {
  for (const [pattern, treatment] of Object.entries(table)) {
    if (treatment.how === 'acted') continue;
    for (const { path, value } of matches(source, pattern)) judge(path, value, treatment, words, findings);
  }
}

function judge(
  path: Path,
  value: unknown,
  treatment: Treatment,
  { code, where }: Words,
  findings: Findings,
): void {
  if (isNothing(value) || treatment.harmless?.some(harmless => harmless === value)) return;
  const field = String(path.at(-1));
  if (treatment.how === 'refused') {
    const message = `${field} is not possible ${where}: ${treatment.says}`;
    findings.error(path, { code, message, hint: treatment.hint ?? 'delete it' }, 'key');
    return;
  }
  findings.warn(path, { code, message: `${field} has no effect ${where}`, hint: treatment.says }, 'key');
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
