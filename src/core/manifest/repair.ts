import type { Path } from './path.ts';
import { type ManifestSource, manifestSchema } from './schema.ts';
import { toPath, valueAt } from './schemaIssues.ts';
import type { JsonValue } from './yamlTree.ts';

/** Stand-ins for what must be there, so that the rest can be judged. Nothing of them reaches a ClusterSpec. */
const standIns: { path: Path; value: JsonValue }[] = [
  { path: ['metadata'], value: { name: 'unnamed' } },
  { path: ['metadata', 'name'], value: 'unnamed' },
  { path: ['spec'], value: {} },
  { path: ['spec', 'numberOfInstances'], value: 1 },
  { path: ['spec', 'postgresql'], value: {} },
  { path: ['spec', 'postgresql', 'version'], value: '17' },
  { path: ['spec', 'volume'], value: {} },
  { path: ['spec', 'volume', 'size'], value: '1Gi' },
];

/**
 * A manifest of the right shape from one that is not: whatever breaks the schema is left out or stood in for.
 * It exists so that one run names all errors, those of shape and those of meaning. Undefined when too little
 * is left. `value` is not changed.
 */
export function repair(value: JsonValue): ManifestSource | undefined {
  const copy = structuredClone(value);
  // Each round mends one level; a level that cannot be mended is dropped with its parent in the next.
  for (let round = 0; round < 24; round++) {
    const result = manifestSchema.safeParse(copy);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const path = toPath(issue.path);
      if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove(copy, [...path, key]);
      else mend(copy, path);
    }
  }
  return undefined;
}

function mend(root: JsonValue, path: Path): void {
  if (path.length === 0) return;
  const standIn = standIns.find(
    entry => entry.path.length === path.length && entry.path.every((part, i) => part === path[i]),
  );
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (
    standIn !== undefined &&
    parent !== null &&
    typeof parent === 'object' &&
    !Array.isArray(parent) &&
    last !== undefined
  ) {
    parent[last] = structuredClone(standIn.value);
    return;
  }
  const found = valueAt(root, path);
  // Optional fields take null for absent. Whoever still breaks the schema as null has to go, with its list or map.
  if (found !== undefined && found !== null && setNull(root, path)) return;
  if (found === null && !Array.isArray(parent)) remove(root, path);
  else mend(root, path.slice(0, -1));
}

function setNull(root: JsonValue, path: Path): boolean {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (parent === null || typeof parent !== 'object' || Array.isArray(parent) || last === undefined)
    return false;
  parent[last] = null;
  return true;
}

function remove(root: JsonValue, path: Path): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (parent !== null && typeof parent === 'object' && !Array.isArray(parent) && last !== undefined)
    delete parent[last];
}
