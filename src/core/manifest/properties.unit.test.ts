import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Diagnostic } from './diagnostic.ts';
import { all, manifestWith, specOf } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';

/** A finding a person can use: it points into the text and says what to do. */
function expectUsable(text: string, found: Diagnostic): void {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  expect(found.line).toBeGreaterThanOrEqual(1);
  expect(found.line).toBeLessThanOrEqual(lines.length);
  expect(found.column).toBeGreaterThanOrEqual(1);
  expect(found.column).toBeLessThanOrEqual((lines[found.line - 1]?.length ?? 0) + 1);
  expect(found.hint.trim()).not.toBe('');
  expect(found.message.trim()).not.toBe('');
  expect(found.code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(found.path).not.toBe('');
}

function expectSane(text: string): void {
  for (const platform of ['local', 'kubernetes'] as const) {
    const parsed = parseManifest(text, { platform });
    if (!parsed.ok) expect(parsed.errors.length).toBeGreaterThan(0);
    for (const found of all(parsed)) expectUsable(text, found);
  }
}

/** A busy machine is no reason to fail. */
const patient = { timeout: 120_000 };

const anyScalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
const anyValue = fc.oneof(
  anyScalar,
  fc.array(anyScalar, { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 8 }), anyScalar, { maxKeys: 3 }),
  fc.array(fc.dictionary(fc.constantFrom('name', 'image', 'key', 'value'), anyScalar), { maxLength: 2 }),
);
const specKeys = fieldsOf(manifestSchema)
  .filter(field => /^spec\.[A-Za-z_]+$/.test(field.path))
  .map(field => field.path.slice('spec.'.length));

describe('any text', patient, () => {
  it('is answered, never thrown at', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({ maxLength: 12, unit: 'binary' }),
        fc.constantFrom(
          '\n',
          '  ',
          '- ',
          ': ',
          'spec:',
          '\t',
          '{',
          '}',
          '[',
          ']',
          '&a ',
          '*a',
          '<<: ',
          '"',
          "'",
          '---\n',
          '|',
          '>',
          '#',
          '? ',
          '! ',
          '%',
        ),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, parts => expectSane(parts.join(''))),
      { numRuns: 300 },
    );
  });

  it('is answered when it is a manifest with a piece broken out or put in', () => {
    const sound = manifestWith(
      'users: { a: [createdb] }\ndatabases: { b: a }\npatroni:\n  pg_hba:\n    - local all all peer\n  slots: { s: { type: physical } }',
    );
    const cut = fc.tuple(fc.nat(sound.length), fc.nat(12), fc.string({ maxLength: 5 }));
    fc.assert(
      fc.property(cut, ([at, length, put]) =>
        expectSane(sound.slice(0, at) + put + sound.slice(at + length)),
      ),
      { numRuns: 300 },
    );
  });
});

describe('any values', patient, () => {
  it('below spec are answered, never thrown at', () => {
    const spec = fc.dictionary(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...specKeys) }, fc.string()),
      anyValue,
    );
    const document = fc.record({
      apiVersion: fc.constant('acid.zalan.do/v1'),
      kind: fc.constant('postgresql'),
      metadata: fc.oneof(
        fc.record({ name: fc.oneof(fc.constant('herd'), anyScalar), labels: anyValue }),
        anyValue,
      ),
      spec: fc.oneof({ weight: 9, arbitrary: spec }, anyValue),
    });
    fc.assert(
      fc.property(document, value => expectSane(stringify(value))),
      { numRuns: 300 },
    );
  });

  it('in the place of any one field are answered, never thrown at', () => {
    const nested = fieldsOf(manifestSchema).map(field => field.path);
    fc.assert(
      fc.property(fc.constantFrom(...nested), anyValue, (path, value) => {
        const steps = path.replaceAll('[]', '.0').split('.');
        const wrapped = steps.reduceRight<unknown>(
          (inner, step) => (step === '0' ? [inner] : { [step === '*' ? 'key' : step]: inner }),
          value,
        );
        const base = { apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', metadata: { name: 'herd' } };
        expectSane(stringify(Object.assign(base, wrapped)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('any sound manifest', patient, () => {
  const name = fc.stringMatching(/^[a-z]([a-z0-9]{0,8}[a-z0-9])?$/).map(word => `x${word}`);
  const sound = fc
    .record({
      name,
      instances: fc.integer({ min: 2, max: 9 }),
      version: fc.constantFrom('14', '15', '16', '17', '18'),
      users: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
      databases: fc.uniqueArray(name, { maxLength: 4 }),
      size: fc.integer({ min: 1, max: 900 }),
      sync: fc.option(fc.boolean(), { nil: undefined }),
      pooler: fc.option(
        fc.record({
          numberOfInstances: fc.integer({ min: 1, max: 5 }),
          maxDBConnections: fc.integer({ min: 5, max: 500 }),
        }),
        { nil: undefined },
      ),
    })
    .map(parts => ({
      parts,
      manifest: {
        apiVersion: 'acid.zalan.do/v1',
        kind: 'postgresql',
        metadata: { name: parts.name },
        spec: {
          numberOfInstances: parts.instances,
          postgresql: { version: parts.version },
          volume: { size: `${parts.size}Gi` },
          users: Object.fromEntries(parts.users.map(user => [user, []])),
          databases: Object.fromEntries(
            parts.databases.map((database, index) => [database, parts.users[index % parts.users.length]]),
          ),
          ...(parts.sync === undefined ? {} : { patroni: { synchronous_mode: parts.sync } }),
          ...(parts.pooler === undefined ? {} : { connectionPooler: parts.pooler }),
        },
      },
    }));

  it('is read, and keeps what was written', () => {
    fc.assert(
      fc.property(sound, ({ parts, manifest }) => {
        const spec = specOf(stringify(manifest));
        expect(spec).toMatchObject({ name: parts.name, instances: parts.instances, version: parts.version });
        expect(spec.volume.sizeBytes).toBe(parts.size * 2 ** 30);
        expect(spec.users.map(user => user.name).toSorted()).toEqual(parts.users.toSorted());
        expect(spec.databases.map(database => database.name).toSorted()).toEqual(parts.databases.toSorted());
        expect(spec.patroni.synchronousMode).toBe(parts.sync === false ? 'async' : 'sync');
        expect(spec.pooler.primary).toBe(parts.pooler !== undefined);
      }),
    );
  });

  it('means the same as JSON, and as YAML of any style', () => {
    fc.assert(
      fc.property(sound, ({ manifest }) => {
        const spec = specOf(stringify(manifest));
        expect(specOf(JSON.stringify(manifest))).toEqual(spec);
        expect(
          specOf(stringify(manifest, { collectionStyle: 'flow', defaultStringType: 'QUOTE_SINGLE' })),
        ).toEqual(spec);
      }),
    );
  });
});
