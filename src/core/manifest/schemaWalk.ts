import { z } from 'zod';
import type { Path } from './path.ts';
import { type FieldInfo, fieldInfo } from './schemaField.ts';

/** One field of the format. In `path`, `*` stands for any key of a map and `[]` for any item of a list. */
export interface SchemaField {
  path: string;
  /** `string`, `boolean`, `whole number`, `list of …`, `map of …`, or the allowed words. */
  type: string;
  required: boolean;
  about: string;
  info: FieldInfo;
}

/** Every field below `schema`, parents before children, in the order the schema lists them. */
export function fieldsOf(schema: unknown, prefix = ''): SchemaField[] {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodArray) return fieldsOf(bare.element, `${prefix}[]`);
  if (bare instanceof z.ZodRecord) {
    const path = `${prefix}.*`;
    const value: unknown = bare.valueType;
    return [{ path, ...describeField(value), required: false }, ...fieldsOf(value, path)];
  }
  return Object.entries(shapeOf(bare)).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [{ path, ...describeField(child) }, ...fieldsOf(child, path)];
  });
}

/** The schema of the value at `path`, or undefined when the format has no such place. */
export function schemaAt(schema: unknown, path: Path): unknown {
  let current: unknown = schema;
  for (const part of path) {
    const bare = unwrap(current);
    if (bare instanceof z.ZodArray) current = bare.element;
    else if (bare instanceof z.ZodRecord) current = bare.valueType;
    else current = Object.hasOwn(shapeOf(bare), part) ? shapeOf(bare)[part] : undefined;
    if (current === undefined) return undefined;
  }
  return current;
}

/** The keys a map of this schema may have; empty when they are free. */
export function keysOf(schema: unknown): string[] {
  return Object.keys(shapeOf(unwrap(schema)));
}

export function infoOf(schema: unknown): FieldInfo {
  return schema instanceof z.ZodType ? (fieldInfo.get(schema) ?? {}) : {};
}

/** The type in the words of somebody who writes YAML. */
export function typeName(schema: unknown): string {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodString) return 'string';
  if (bare instanceof z.ZodBoolean) return 'boolean';
  if (bare instanceof z.ZodNumber) return 'whole number';
  if (bare instanceof z.ZodEnum) return bare.options.map(option => JSON.stringify(option)).join(' or ');
  if (bare instanceof z.ZodLiteral) return [...bare.values].map(value => JSON.stringify(value)).join(' or ');
  if (bare instanceof z.ZodArray) return `list of ${plural(typeName(bare.element))}`;
  if (bare instanceof z.ZodRecord) return `map of ${plural(typeName(bare.valueType))}`;
  return 'map';
}

function plural(name: string): string {
  return name.replace(/^(string|boolean|whole number|map|list)\b/, '$1s');
}

function describeField(schema: unknown): Omit<SchemaField, 'path'> {
  const about = schema instanceof z.ZodType ? (schema.description ?? '') : '';
  const optionalField = schema instanceof z.ZodOptional;
  return { type: typeName(schema), required: !optionalField, about, info: infoOf(schema) };
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (current instanceof z.ZodOptional || current instanceof z.ZodNullable) current = current.unwrap();
  return current;
}

function shapeOf(schema: unknown): Record<string, unknown> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}
