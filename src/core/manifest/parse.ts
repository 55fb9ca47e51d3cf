import type { Diagnostic } from './diagnostic.ts';
import { Findings, LineIndex } from './findings.ts';
import type { Path } from './path.ts';
import { repair } from './repair.ts';
import { resolve } from './resolve.ts';
import { type ManifestSource, manifestApiVersion, manifestKind, manifestSchema } from './schema.ts';
import { reportIssue, valueAt } from './schemaIssues.ts';
import { infoOf, schemaAt } from './schemaWalk.ts';
import { parametersPath, quoteParameters } from './sections/parameters.ts';
import type { ClusterSpec } from './spec.ts';
import { judgeLocally, judgeOnKubernetes } from './support.ts';
import { readYaml } from './yamlText.ts';
import type { JsonValue, Place, Tree } from './yamlTree.ts';

/** Where the cluster is to run: it decides what each field can do. */
export type Platform = 'local' | 'kubernetes';

export type ParsedManifest =
  | { ok: true; spec: ClusterSpec; warnings: Diagnostic[]; source: ManifestSource }
  | { ok: false; errors: Diagnostic[]; warnings: Diagnostic[] };

/**
 * Reads a `postgresql` manifest. Never throws: whatever is wrong is in `errors`, all of it at once, in the
 * order of the text. With `platform: 'local'` (the default) fields that one machine cannot honour are warned
 * about or refused (see support.ts); with `'kubernetes'` those that the operator cannot. There an unknown field is a
 * warning only: such manifests are in use with the operator that people know, which never saw them (API servers drop
 * unknown fields of its CRD), and refusing would stop a cluster that runs.
 */
export function parseManifest(text: string, options: { platform?: Platform } = {}): ParsedManifest {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const findings = new Findings(new LineIndex(content));
  const tree = readYaml(content, findings);
  if (tree === undefined || !isManifest(tree.value, findings)) return failure(findings);
  quoteParameters(valueAt(tree.value, parametersPath), placeAt(tree.place, parametersPath), findings);
  const lenient = options.platform === 'kubernetes';
  const result = manifestSchema.safeParse(tree.value);
  for (const issue of result.error?.issues ?? []) reportIssue(issue, tree.value, findings, { lenient });
  warnLooseBooleans(tree, findings);
  const source = result.success ? result.data : repair(tree.value);
  if (source === undefined) return failure(findings);
  warnAliases(source, findings);
  const spec = resolve(source, findings);
  if (lenient) judgeOnKubernetes(source, findings);
  else judgeLocally(source, findings);
  if (findings.list('error').length > 0) return failure(findings);
  return { ok: true, spec, warnings: findings.list('warning'), source };
}

function failure(findings: Findings): ParsedManifest {
  return { ok: false, errors: findings.list('error'), warnings: findings.list('warning') };
}

/** Anything of another kind is told so once: its fields would all be unknown. */
function isManifest(value: JsonValue, findings: Findings): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    findings.error([], {
      code: 'wrong-type',
      message: 'a manifest is a map of fields, and this is not',
      hint: `begin with \`apiVersion: ${manifestApiVersion}\` and \`kind: ${manifestKind}\``,
    });
    return false;
  }
  const wanted = { apiVersion: manifestApiVersion, kind: manifestKind };
  let fits = true;
  for (const [key, expected] of Object.entries(wanted)) {
    const found = value[key];
    if (found === expected) continue;
    fits = false;
    findings.error([key], {
      code: found === undefined || found === null ? 'missing-field' : 'wrong-kind',
      message:
        found === undefined || found === null
          ? `${key} is missing`
          : `${key} is ${JSON.stringify(found).slice(0, 60)}, not ${expected}`,
      hint: `write \`${key}: ${expected}\`${key === 'kind' ? ': pgherd reads manifests of this kind only' : ''}`,
    });
  }
  return fits;
}

/** `yes` is true below kubectl and text in YAML 1.2: it counts as Kubernetes reads it, and that is said. */
function warnLooseBooleans(tree: Tree, findings: Findings): void {
  for (const path of tree.looseBooleans) {
    const value = valueAt(tree.value, path);
    if (typeof value !== 'boolean' || findings.hasErrorWithin(path)) continue;
    const word = placeAt(tree.place, path)?.written ?? '';
    findings.warn(path, {
      code: 'loose-boolean',
      message: `${word} without quotes is read as ${value}, as Kubernetes does`,
      hint: `write ${value}; if the word was meant, put it in quotes`,
    });
  }
}

function warnAliases(source: ManifestSource, findings: Findings): void {
  for (const [alias, value] of Object.entries(source.spec)) {
    const name = infoOf(schemaAt(manifestSchema, ['spec', alias])).replacedBy;
    if (name === undefined || value === null || value === undefined) continue;
    findings.warn(
      ['spec', alias],
      { code: 'deprecated-field', message: `${alias} is an older name`, hint: `write ${name}` },
      'key',
    );
  }
}

function placeAt(root: Place, path: Path): Place | undefined {
  return path.reduce<Place | undefined>((place, part) => place?.children?.get(part), root);
}
