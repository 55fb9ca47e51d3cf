import { describe, expect, it } from 'vitest';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import { secretsWanted } from './index.ts';
import { inputOf, specFrom } from './testing/fixture.ts';

const { config } = inputOf(specFrom('examples/wichtige-daten-3.yaml'));

describe('secretsWanted', () => {
  it('names the Secrets as applications know them', () => {
    const wanted = secretsWanted(specFrom('examples/wichtige-daten-3.yaml'), config);
    expect(wanted.map(({ name, username, purpose }) => `${purpose} ${username} ${name}`)).toEqual([
      'superuser postgres postgres.wichtige-daten-3.credentials.postgresql.acid.zalan.do',
      'replication standby standby.wichtige-daten-3.credentials.postgresql.acid.zalan.do',
      'role bauer bauer.wichtige-daten-3.credentials.postgresql.acid.zalan.do',
      'pooler pooler pooler.wichtige-daten-3.credentials.postgresql.acid.zalan.do',
      'control pgherd pgherd.wichtige-daten-3.credentials.postgresql.acid.zalan.do',
    ]);
  });

  it('has none for roles that do not log in, and puts those of a prepared database where it says', () => {
    const spec = specOf(
      manifestWith(
        'users: { group: [nologin], my_app: [] }\npreparedDatabases: { shop: { defaultUsers: true, secretNamespace: other } }',
      ),
      'kubernetes',
    );
    const wanted = secretsWanted(spec, config).map(
      ({ name, namespace }) => `${namespace}/${name.split('.')[0]}`,
    );
    expect(wanted).toEqual([
      'default/postgres',
      'default/standby',
      'default/my-app',
      'other/shop-owner-user',
      'other/shop-reader-user',
      'other/shop-writer-user',
    ]);
  });

  it('follows the template of the configuration', () => {
    const short = { ...config, secretNameTemplate: '{username}.{cluster}.credentials' };
    expect(secretsWanted(specOf(manifestWith(), 'kubernetes'), short)[0]?.name).toBe(
      'postgres.herd.credentials',
    );
  });
});
