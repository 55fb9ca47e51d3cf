import type { z } from 'zod';
import type { Findings } from './findings.ts';
import { type Path, pathText } from './path.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf, infoOf, keysOf, schemaAt, typeName } from './schemaWalk.ts';
import { closest } from './suggest.ts';
import type { JsonValue } from './yamlTree.ts';

type Issue = z.core.$ZodIssue;

/** Says in the user's words what the schema found, one finding per unknown key. `lenient`: those are warnings. */
export function reportIssue(
  issue: Issue,
  root: JsonValue,
  findings: Findings,
  { lenient = false }: { lenient?: boolean } = {},
): void {
  const path = toPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey([...path, key], findings, lenient);
    return;
  }
  const schema = schemaAt(manifestSchema, path);
  const found = valueAt(root, path);
  const field = pathText(path);
  if (found === undefined || found === null) {
    const example = infoOf(schema).example;
    findings.error(path, {
      code: 'missing-field',
      message: found === undefined ? `${field} is missing` : `${field} has no value`,
      hint: `add \`${String(path.at(-1))}: ${example ?? `<${typeName(schema)}>`}\``,
    });
    return;
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
    findings.error(path, {
      code: 'out-of-range',
      message: typeof found === 'string' ? `${field} must not be empty` : `${field} is ${show(found)}`,
      hint:
        typeof found === 'string'
          ? 'write a value'
          : `write a number ${issue.code === 'too_small' ? 'not below' : 'not above'} ${bound}`,
    });
    return;
  }
  if (issue.code === 'invalid_value' && typeof found === 'string') {
    const words = issue.values.map(String);
    // Numbers that look alike are not meant alike; `16.4` alone says which one was.
    const near = /^\d/.test(found) ? words.find(word => found.startsWith(`${word}.`)) : closest(found, words);
    findings.error(path, {
      code: 'unknown-value',
      message: `${field} is ${show(found)}, and must be one of ${words.join(', ')}`,
      hint:
        near === undefined
          ? `write ${words.map(word => JSON.stringify(word)).join(' or ')}`
          : `did you mean ${JSON.stringify(near)}?`,
    });
    return;
  }
  findings.error(path, {
    code: 'wrong-type',
    message: `${field} must be a ${wanted(schema)}, and is ${show(found)}`,
    hint: typeHint(found, findings.writtenAt(path), schema),
  });
}

function reportUnknownKey(path: Path, findings: Findings, lenient: boolean): void {
  const key = String(path.at(-1));
  const siblings = keysOf(schemaAt(manifestSchema, path.slice(0, -1)));
  const finding = {
    code: 'unknown-field',
    message: `${pathText(path)} is no field of the format`,
    hint: unknownKeyHint(key, siblings),
  };
  if (lenient) findings.warn(path, finding, 'key');
  else findings.error(path, finding, 'key');
}

function unknownKeyHint(key: string, siblings: string[]): string {
  const near = closest(key, siblings);
  // A key that is right by the letter stands in the wrong place: an indentation slip.
  const elsewhere = placesOf(key);
  if (elsewhere.length > 0 && near?.toLowerCase() !== key.toLowerCase())
    return `it belongs at ${elsewhere.join(' or ')}: check the indentation`;
  if (near !== undefined) return `did you mean \`${near}\`?`;
  return `delete the line, or comment it out; known here: ${siblings.join(', ')}`;
}

/** The format's own fields, leaving out the innards of Kubernetes objects and of maps with free keys. */
const ownPaths = fieldsOf(manifestSchema)
  .map(field => field.path)
  .filter(path => !path.includes('[]') && !path.includes('*'));

/** Where the format has this very key. */
function placesOf(key: string): string[] {
  return ownPaths.filter(path => path.split('.').at(-1) === key).slice(0, 3);
}

function wanted(schema: unknown): string {
  const name = typeName(schema);
  return name.startsWith('"') ? `string (${name})` : name;
}

function typeHint(found: JsonValue, written: string | undefined, schema: unknown): string {
  const name = typeName(schema);
  const example = infoOf(schema).example;
  const scalar = typeof found === 'number' || typeof found === 'boolean';
  if (scalar && name === 'string') return `put it in quotes: ${JSON.stringify(written ?? String(found))}`;
  if (scalar && name.startsWith('"')) return `put it in quotes: ${JSON.stringify(String(found))}`;
  if (name === 'boolean') return 'write true or false, without quotes';
  if (name === 'whole number')
    return typeof found === 'string' && /^-?\d+$/.test(found)
      ? `remove the quotes: ${found}`
      : 'write digits only, without quotes';
  if (name.startsWith('list'))
    return `write a list${example === undefined ? ': `- …`, one line per item' : `: ${example}`}`;
  return `write a ${name}${example === undefined ? ': `name: value`, one line per entry, indented' : `: ${example}`}`;
}

function show(value: JsonValue): string {
  if (Array.isArray(value)) return 'a list';
  if (value !== null && typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  if (typeof value === 'string') return `the string ${short}`;
  return typeof value === 'number' ? `the number ${short}` : short;
}

export function toPath(path: readonly PropertyKey[]): Path {
  return path.map(part => (typeof part === 'number' ? part : String(part)));
}

export function valueAt(root: JsonValue, path: Path): JsonValue | undefined {
  let current: JsonValue | undefined = root;
  for (const part of path) {
    if (Array.isArray(current)) current = typeof part === 'number' ? current[part] : undefined;
    else if (current !== null && typeof current === 'object')
      current = Object.hasOwn(current, part) ? current[part] : undefined;
    else return undefined;
  }
  return current;
}
