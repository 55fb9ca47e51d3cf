import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { manifestSchema } from '../schema.ts';
import { fieldsOf } from '../schemaWalk.ts';
import { crdName, customResourceDefinition } from './definition.ts';
import type { StructuralSchema } from './structural.ts';
import { refusals } from './testing/accepts.ts';
import { structuralProblems } from './testing/structuralProblems.ts';

const root = new URL('../../../../', import.meta.url);
const read = (path: string): unknown => parse(readFileSync(new URL(path, root), 'utf8'));
const schemaOf = (rules: boolean): StructuralSchema => {
  const schema = customResourceDefinition({ rules }).spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error('no version');
  return schema;
};

/** Paths as `fieldsOf` writes them. */
function paths(node: StructuralSchema, prefix = ''): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...paths(child, path)];
  });
  const values = node.additionalProperties;
  if (values !== undefined) own.push(`${prefix}.*`, ...paths(values, `${prefix}.*`));
  return node.items === undefined ? own : [...own, ...paths(node.items, `${prefix}[]`)];
}

describe('the CRD', () => {
  it.each([false, true])('is structural (with rules: %s)', rules => {
    expect(structuralProblems(schemaOf(rules), { rules })).toEqual([]);
  });

  it('has no CEL rules unless asked for: servers below 1.25 do not know them', () => {
    expect(JSON.stringify(schemaOf(false))).not.toContain('x-kubernetes-validations');
    expect(JSON.stringify(schemaOf(true)).match(/x-kubernetes-validations/g)).toHaveLength(5);
  });

  it('knows every field of the format', () => {
    const own = fieldsOf(manifestSchema)
      .map(field => field.path)
      .filter(path => path.startsWith('spec'));
    expect(own.length).toBeGreaterThan(200);
    expect(
      paths(schemaOf(false))
        .filter(path => path.startsWith('spec'))
        .toSorted(),
    ).toEqual(own.toSorted());
  });

  it('shows the columns that users know', () => {
    const { metadata, spec } = customResourceDefinition();
    expect(metadata.name).toBe(crdName);
    expect(crdName).toBe('postgresqls.acid.zalan.do');
    expect(spec.names).toMatchObject({ shortNames: ['pg'], categories: ['all'] });
    expect(spec.versions[0]?.additionalPrinterColumns.map(column => column.name)).toEqual([
      'Team',
      'Version',
      'Pods',
      'Volume',
      'CPU-Request',
      'Memory-Request',
      'Age',
      'Status',
    ]);
  });

  it('keeps types, bounds, words and descriptions', () => {
    const spec = schemaOf(false).properties?.spec?.properties ?? {};
    expect(spec.numberOfInstances).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: 0,
      description: 'PostgreSQL instances; 0 stops the cluster and keeps its data',
    });
    expect(spec.postgresql?.properties?.version).toMatchObject({ enum: ['14', '15', '16', '17', '18'] });
    expect(spec.patroni?.properties?.ttl).toMatchObject({
      format: 'int64',
      minimum: 0,
      maximum: 4_294_967_295,
    });
    expect(spec.spiloRunAsUser).toEqual({
      type: 'integer',
      format: 'int64',
      nullable: true,
      description: 'User id of the pods',
    });
    expect(spec.users?.additionalProperties).toMatchObject({ type: 'array', nullable: true });
  });

  it.each([...readdirSync(new URL('examples/', root)).filter(name => name.endsWith('.yaml'))])(
    'takes examples/%s',
    name => {
      expect(refusals(read(`examples/${name}`), schemaOf(false))).toEqual([]);
    },
  );

  it('takes every field of the format at once', () => {
    expect(refusals(read('test/manifest/complete.yaml'), schemaOf(false))).toEqual([]);
  });

  it('refuses exactly what the schema of the program refuses, whatever stands in a field', {
    timeout: 30_000,
  }, () => {
    const complete = read('test/manifest/complete.yaml');
    const places = leaves(complete).filter(path => path[0] === 'spec');
    const schema = schemaOf(false);
    const odd = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant([]),
      fc.constant({}),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), odd, (path, value) => {
        const changed = structuredClone(complete);
        put(changed, path, value);
        const taken = manifestSchema.safeParse(changed).success;
        // The API server drops null where it has no meaning, and goes on.
        if (value === null && !taken) return;
        expect(refusals(changed, schema).length === 0).toBe(taken);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the checker of structural schemas', () => {
  it.each<[string, unknown]>([
    ['no type', { properties: {} }],
    ['a reference', { type: 'object', $ref: '#/a' }],
    ['a default', { type: 'object', default: {} }],
    [
      'both kinds of properties',
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
    ],
    ['an array of anything', { type: 'object', properties: { a: { type: 'array' } } }],
    ['a branch without type', { type: 'object', anyOf: [{ type: 'object' }] }],
    [
      'metadata with properties',
      { type: 'object', properties: { metadata: { type: 'object', properties: {} } } },
    ],
    ['a rule', { type: 'object', 'x-kubernetes-validations': [] }],
    ['an unknown requirement', { type: 'object', required: ['a'] }],
  ])('finds %s', (_, schema) => {
    expect(structuralProblems(schema, { rules: false })).not.toEqual([]);
  });
});

type Path = (string | number)[];

function leaves(value: unknown, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [path];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, child]) => leaves(child, [...path, key]))];
}

function put(value: unknown, path: Path, leaf: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
  const last = path.at(-1);
  if (last !== undefined) (parent as Record<string | number, unknown>)[last] = leaf;
}
