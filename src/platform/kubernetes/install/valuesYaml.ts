import { stringify } from 'yaml';
import { z } from 'zod';

/** The chart's values.yaml: each value with what it is for; those left to their default as comments. Pure. */

interface Described {
  description?: string;
  default?: unknown;
  properties?: Record<string, Described>;
}

export function valuesYaml(schema: z.ZodType, values: Record<string, unknown>): string {
  const described = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Described;
  return [
    '# Values of the chart, with their defaults. Written by scripts/deployFiles.ts: do not edit.',
    ...lines(described, values, 0),
    '',
  ].join('\n');
}

/** `values` undefined: all of it is left to its default, and stands behind `hidden`, the mark of a comment. */
function lines(
  schema: Described,
  values: Record<string, unknown> | undefined,
  depth: number,
  hidden = '',
): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const value = values?.[key];
    const mark = hidden !== '' || value !== undefined ? hidden : `${'  '.repeat(depth)}# `;
    const indent = mark === '' ? '  '.repeat(depth) : mark;
    const about = property.description === undefined ? [] : [`${indent}# ${property.description}`];
    if (property.properties === undefined)
      return [...about, ...entry(key, value ?? property.default, indent)];
    const inner = lines(
      property,
      value as Record<string, unknown> | undefined,
      depth + 1,
      mark === '' ? '' : `${mark}  `,
    );
    return [...about, `${indent}${key}:`, ...inner];
  });
}

function entry(key: string, value: unknown, indent: string): string[] {
  return stringify({ [key]: value ?? null }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map(line => `${indent}${line}`);
}
