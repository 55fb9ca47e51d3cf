import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { all, errorsOf, findingsOf, manifestWith, specOf } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';
import { treatmentOf } from './support.ts';
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
      expect(specOf(manifestWith(line), 'kubernetes').name).toBe('herd');
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
