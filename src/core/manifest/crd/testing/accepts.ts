import type { StructuralSchema } from '../structural.ts';

/** What an API server says about a value with this schema: the path of each offence. CEL is not run. */
export function refusals(value: unknown, schema: StructuralSchema, path = ''): string[] {
  if (value === null) return schema.nullable === true ? [] : [`${path}: null`];
  if (value === undefined) return [];
  const wrong = [`${path}: not ${schema.type}`];
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return wrong;
      if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path}: not in the list`];
      return value.length < (schema.minLength ?? 0) ? [`${path}: too short`] : [];
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong;
    case 'integer':
      if (!Number.isInteger(value)) return wrong;
      return inRange(Number(value), schema) ? [] : [`${path}: out of range`];
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, n) =>
            schema.items === undefined ? [] : refusals(item, schema.items, `${path}[${n}]`),
          )
        : wrong;
    case 'object':
      return typeof value === 'object' && !Array.isArray(value) ? inObject(value, schema, path) : wrong;
  }
}

function inRange(value: number, { format, minimum, maximum }: StructuralSchema): boolean {
  const widest = format === 'int32' ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER;
  return value >= (minimum ?? -widest - 1) && value <= (maximum ?? widest);
}

/** Unknown keys pass: this format keeps them. An API server drops null where it is not allowed. */
function inObject(value: object, schema: StructuralSchema, path: string): string[] {
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown, StructuralSchema][] => {
    const of = schema.properties?.[key] ?? schema.additionalProperties;
    return of === undefined || (child === null && of.nullable !== true) ? [] : [[key, child, of]];
  });
  const present = new Set(entries.map(([key]) => key));
  return [
    ...(schema.required ?? []).filter(key => !present.has(key)).map(key => `${path}.${key}: missing`),
    ...entries.flatMap(([key, child, of]) => refusals(child, of, `${path}.${key}`)),
  ];
}
