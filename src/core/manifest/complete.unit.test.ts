import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { specOf } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';
import { type ManifestSource, manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');

/** The paths of the schema at which a manifest has a value. */
function pathsIn(value: unknown, patterns: Set<string>, prefix = ''): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const named = prefix === '' ? key : `${prefix}.${key}`;
    const path = Array.isArray(value) ? `${prefix}[]` : patterns.has(named) ? named : `${prefix}.*`;
    return [path, ...pathsIn(child, patterns, path)];
  });
}

describe('manifests that must be fine', () => {
  it.each(readdirSync(new URL('examples/', root)).filter(name => name.endsWith('.yaml')))(
    'examples/%s is read without errors',
    name => {
      expect(specOf(read(`examples/${name}`)).name).toMatch(/^[a-z]/);
      expect(specOf(read(`examples/${name}`), 'kubernetes')).toEqual(specOf(read(`examples/${name}`)));
    },
  );

  it('takes every field of the format', () => {
    const source: ManifestSource = manifestSchema.parse(parse(read('test/manifest/complete.yaml')));
    const patterns = fieldsOf(manifestSchema).map(field => field.path);
    const present = new Set(pathsIn(source, new Set(patterns)));
    // Two archives exclude each other. The innards of Kubernetes objects are the API server's to judge.
    const own = patterns.filter(
      path => !/^spec\.(env|envFrom|.*[cC]ontainers|sidecars|.*Affinity|.*[sS]elector)\b./.test(path),
    );
    expect(own.length).toBeGreaterThan(180);
    expect(own.filter(path => !present.has(path))).toEqual(['spec.standby.gs_wal_path']);
  });
});

describe('the user’s own manifest', () => {
  it('is resolved as the format says', () => {
    const parsed = parseManifest(read('examples/wichtige-daten-3.yaml'));
    expect(parsed.ok && parsed.spec).toMatchObject({
      name: 'wichtige-daten-3',
      namespace: 'default',
      teamId: 'acid',
      labels: { team: 'acid' },
      version: '16',
      instances: 3,
      volume: { sizeBytes: 10 * 2 ** 30 },
      resources: {
        requests: { cpuMillis: 100, memoryBytes: 100 * 2 ** 20 },
        limits: { cpuMillis: 500, memoryBytes: 500 * 2 ** 20 },
      },
      users: [{ name: 'bauer', flags: { login: true, superuser: false } }],
      databases: [{ name: 'firmendaten', owner: 'bauer' }],
      patroni: { synchronousMode: 'sync', synchronousNodeCount: 1 },
      pooler: { primary: true, standby: true, instances: 2, maxDbConnections: 60 },
      exposed: { primary: true, standby: true, pooler: true, poolerStandby: true },
      allowedSourceRanges: ['0.0.0.0/0'],
      maintenanceWindows: [],
    });
    expect(parsed.warnings.map(({ code, path, line }) => `${line} ${code} ${path}`)).toEqual([
      '23 not-supported-locally spec.volume.size',
      '29 open-to-all spec.allowedSourceRanges[0]',
    ]);
  });
});
