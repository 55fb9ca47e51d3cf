import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { all, errorsOf, findingsOf, manifestWith } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';
import { treatmentOf } from './support.ts';
import { kubernetesExceptions } from './supportKubernetes.ts';
import { localSupport } from './supportTable.ts';

const fields = fieldsOf(manifestSchema).map(field => field.path);

describe('what one machine does with each field', () => {
  it('is said for every field of the format', () => {
    expect(fields.length).toBeGreaterThan(200);
    expect(fields.filter(path => treatmentOf(path) === undefined)).toEqual([]);
  });

  it('is said for fields that exist only', () => {
    expect(Object.keys(localSupport).filter(path => !fields.includes(path))).toEqual([]);
  });

  it('is said once: what is below a field that has no effect has none either', () => {
    const twice = Object.keys(localSupport).filter(path =>
      Object.entries(localSupport).some(
        ([pattern, treatment]) => treatment.how !== 'acted' && path.startsWith(`${pattern}.`),
      ),
    );
    expect(twice).toEqual([]);
  });

  it('is reported, or has an effect, for every field of a manifest that has them all', () => {
    const text = readFileSync(new URL('../../../test/manifest/complete.yaml', import.meta.url), 'utf8');
    const parsed = parseManifest(text);
    const reported = new Set(all(parsed).map(found => found.path));
    const silent = Object.entries(localSupport).filter(
      ([path, treatment]) => treatment.how !== 'acted' && !path.includes('*') && !reported.has(path),
    );
    expect(silent.map(([path]) => path)).toEqual([]);
    expect(parsed.ok).toBe(false);
    expect(errorsOf(text).map(error => `${error.code} ${error.path}`)).toEqual([
      'not-supported-locally spec.clone',
      'not-supported-locally spec.standby',
    ]);
  });

  it('concerns one machine only', () => {
    const text = readFileSync(new URL('../../../test/manifest/complete.yaml', import.meta.url), 'utf8');
    expect(errorsOf(text, 'kubernetes')).toEqual([]);
    expect(findingsOf(text, 'kubernetes').filter(found => found.includes('not-supported-locally'))).toEqual(
      [],
    );
  });

  it.each(['clone: { cluster: other }', 'standby: { standby_host: other }'])(
    'refuses what would become an empty cluster: %s',
    line => {
      expect(errorsOf(manifestWith(line))).toMatchObject([
        { code: 'not-supported-locally', line: 9, column: 3 },
      ]);
    },
  );

  it.each([
    'sidecars: []',
    'tolerations:',
    'enableLogicalBackup: false',
    'tls: { secretName: "" }',
    'masterNodePort: 0',
    'podAnnotations: {}',
    'clone:',
  ])('says nothing where nothing is asked for: %s', line => {
    expect(findingsOf(manifestWith(line))).toEqual(findingsOf(manifestWith()));
  });

  it.each([
    ['sidecars: [{ name: a, image: b }]', 'spec.sidecars'],
    ['maintenanceWindows: ["01:00-02:00"]', 'spec.maintenanceWindows'],
    ['tls: { secretName: mine }', 'spec.tls.secretName'],
    ['preparedDatabases: { x: { secretNamespace: y } }', 'spec.preparedDatabases.x.secretNamespace'],
    ['connectionPooler: { dockerImage: x }', 'spec.connectionPooler.dockerImage'],
  ])('warns by name and says what happens instead: %s', (line, path) => {
    const warning = all(parseManifest(manifestWith(line))).find(found => found.path === path);
    expect(warning).toMatchObject({ severity: 'warning', code: 'not-supported-locally', line: 9 });
    expect(warning?.hint.length).toBeGreaterThan(20);
  });
});

describe('what the operator does with each field', () => {
  const text = readFileSync(new URL('../../../test/manifest/complete.yaml', import.meta.url), 'utf8');

  it('is said for fields that exist only, and once', () => {
    const listed = Object.keys(kubernetesExceptions);
    expect(listed.filter(path => !fields.includes(path))).toEqual([]);
    expect(listed.filter(path => listed.some(other => path.startsWith(`${other}.`)))).toEqual([]);
  });

  it('is reported for every field of a manifest that has them all', () => {
    const parsed = parseManifest(text, { platform: 'kubernetes' });
    const reported = all(parsed).filter(found => found.code === 'not-supported-by-operator');
    expect(reported.map(found => found.path).toSorted()).toEqual(
      Object.keys(kubernetesExceptions).toSorted(),
    );
    expect(!parsed.ok && parsed.errors.map(found => found.path)).toEqual([
      'spec.clone.s3_wal_path',
      'spec.clone.s3_endpoint',
      'spec.clone.s3_access_key_id',
      'spec.clone.s3_secret_access_key',
      'spec.clone.s3_force_path_style',
      'spec.standby',
    ]);
  });

  it('leaves nothing to say about the user’s own manifest', () => {
    const own = readFileSync(new URL('../../../examples/wichtige-daten-3.yaml', import.meta.url), 'utf8');
    expect(findingsOf(own, 'kubernetes')).toEqual(['warning open-to-all spec.allowedSourceRanges[0]']);
  });

  it('warns of unknown fields at every level, and goes on without them', () => {
    const lines = 'connectionPooler: { poolSize: 3 }\nsidecar: []';
    const parsed = parseManifest(manifestWith(lines), { platform: 'kubernetes' });
    expect(parsed.ok && parsed.spec.pooler.primary).toBe(true);
    expect(findingsOf(manifestWith(lines), 'kubernetes')).toEqual([
      'warning unknown-field spec.connectionPooler.poolSize',
      'warning unknown-field spec.sidecar',
    ]);
    expect(errorsOf(manifestWith(lines)).map(error => error.code)).toEqual([
      'unknown-field',
      'unknown-field',
    ]);
  });

  it('does not go on when anything else is wrong, too', () => {
    expect(errorsOf(manifestWith('sidecar: []\nenableLogicalBackup: 3'), 'kubernetes')).toMatchObject([
      { code: 'wrong-type', path: 'spec.enableLogicalBackup' },
    ]);
  });
});
