import { describe, expect, it } from 'vitest';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import { InvalidSpecError } from './images.ts';
import { desiredObjects, judgeSpec } from './index.ts';
import { inputOf, specFrom, USERS_OWN } from './testing/fixture.ts';

const specWith = (lines: string, options = {}) => specOf(manifestWith(lines, options), 'kubernetes');

describe('judgeSpec', () => {
  it('has nothing to say about the user’s own manifest', () => {
    const { spec, config } = inputOf(specFrom(USERS_OWN));
    expect(judgeSpec(spec, config)).toEqual({ errors: [], warnings: [] });
  });

  it('names the versions that there are images for', () => {
    const { spec, config, ...rest } = inputOf(specWith('postgresql: { version: "18" }'));
    expect(judgeSpec(spec, config).errors).toEqual([
      {
        path: 'spec.postgresql.version',
        message: 'there is no image for PostgreSQL 18',
        hint: 'write one of 16, 17, or add an image to the configuration of the operator',
      },
    ]);
    expect(() => desiredObjects({ spec, config, ...rest })).toThrow(InvalidSpecError);
  });

  it('takes an image of the manifest for any version', () => {
    const { spec, config } = inputOf(specWith('postgresql: { version: "18" }\ndockerImage: mine'));
    expect(judgeSpec(spec, config).errors).toEqual([]);
  });

  it('asks for an image of poolers only where there are poolers', () => {
    const config = inputOf(specWith(''), { poolerImage: undefined }).config;
    expect(judgeSpec(specWith(''), config).errors).toEqual([]);
    const { errors } = judgeSpec(specWith('enableConnectionPooler: true'), config);
    expect(errors.map(error => error.path)).toEqual(['spec.enableConnectionPooler']);
  });

  it('refuses a name that leaves no room for the Service of a pooler', () => {
    const name = 'a'.repeat(53);
    const { config } = inputOf(specWith(''));
    expect(judgeSpec(specWith('enableConnectionPooler: true', { name }), config).errors).toEqual([]);
    const { errors } = judgeSpec(specWith('enableReplicaConnectionPooler: true', { name }), config);
    expect(errors).toMatchObject([
      { path: 'metadata.name', hint: 'shorten the name by 2, or leave the poolers out' },
    ]);
  });

  it('warns of variables that are ours, or another image’s', () => {
    const { config } = inputOf(specWith(''));
    const lines =
      'env: [{ name: patroni_name, value: a }, { name: USE_WALG_BACKUP, value: b }, { name: TZ, value: c }]';
    expect(
      judgeSpec(specWith(lines), config).warnings.map(({ path, message }) => `${path} ${message}`),
    ).toEqual([
      'spec.env[0].name patroni_name is set by the operator',
      'spec.env[1].name USE_WALG_BACKUP speaks to another image',
    ]);
  });

  it('warns of a user that the image does not know', () => {
    const { config } = inputOf(specWith(''));
    const paths = (lines: string) => judgeSpec(specWith(lines), config).warnings.map(({ path }) => path);
    expect(paths('spiloRunAsUser: 1000')).toEqual(['spec.spiloRunAsUser']);
    expect(paths('spiloRunAsUser: 101')).toEqual([]);
    expect(paths('spiloRunAsUser: 1000\ndockerImage: mine')).toEqual([]);
  });

  it('refuses volumes that would meet those of the pods', () => {
    const volumes = [
      '{ name: tmp, mountPath: /a }',
      '{ name: mine, mountPath: /tmp }',
      '{ name: mine, mountPath: /b }',
      '{ name: pgdata, mountPath: /c }',
      '{ name: fine, mountPath: /d }',
    ];
    const { config } = inputOf(specWith(''));
    const { errors } = judgeSpec(specWith(`additionalVolumes: [${volumes.join(', ')}]`), config);
    expect(errors.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'spec.additionalVolumes[0].name: tmp is the name of a volume of the pods themselves',
      'spec.additionalVolumes[1].mountPath: /tmp is where the pods themselves have something mounted',
      'spec.additionalVolumes[2].name: mine is the name of another volume',
      'spec.additionalVolumes[3].name: pgdata is the name of a volume of the pods themselves',
    ]);
  });
});
