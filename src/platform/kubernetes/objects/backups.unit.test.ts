import { describe, expect, it } from 'vitest';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import { backupConfig, desiredObjects, judgeSpec } from './index.ts';
import { parametersOf } from './patroni.ts';
import { type MembersLive, restorePod } from './restorePod.ts';
import { inputOf } from './testing/fixture.ts';
import { podSecurityOffences } from './testing/podSecurity.ts';

const keys = {
  passphrase: 'the-passphrase',
  hostKey: 'HOST KEY',
  clientKey: 'CLIENT KEY',
  hostFingerprint: 'abcdef',
  clientLine: 'ecdsa-sha2-nistp256 AAAA',
};
const specWith = (lines: string) => specOf(manifestWith(lines), 'kubernetes');
const bucket = `backup:
  repositories:
    - name: cloud
      s3: { endpoint: s3.example.com, bucket: b, credentialsSecret: s3 }`;
const share = `additionalVolumes:
  - name: share
    mountPath: /mnt/share
    targetContainers: [all]
    volumeSource: { persistentVolumeClaim: { claimName: nas } }
backup:
  repositories:
    - name: nas
      directory: { path: /mnt/share/pg }`;

function filesOf(lines: string, buckets = new Map()): Record<string, string> {
  const { data } = backupConfig(inputOf(specWith(lines)), keys, buckets) as unknown as { data: object };
  const texts = Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]);
  return Object.fromEntries(texts);
}

describe('backups of a cluster', () => {
  it('go to a repository host of its own where the manifest says nothing', () => {
    const objects = desiredObjects(inputOf(specWith('')));
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names).toEqual(expect.arrayContaining(['StatefulSet/herd-backup', 'Service/herd-backup']));
    expect(parametersOf(specWith(''))).toMatchObject({ archive_mode: 'on' });
    const file = filesOf('')['repository-members.conf'];
    expect(file).toContain('repo1-sftp-host=herd-backup.default.svc.cluster.local');
    expect(file).toContain('repo1-sftp-host-fingerprint=abcdef');
    expect(file).toContain('repo1-cipher-pass=the-passphrase');
  });

  it('are not made where the manifest says so', () => {
    const spec = specWith('backup: { repositories: [] }');
    const objects = desiredObjects(inputOf(spec));
    expect(objects.some(({ metadata }) => metadata.name === 'herd-backup')).toBe(false);
    expect(JSON.stringify(objects)).not.toContain('pgbackrest');
    expect(parametersOf(spec)).toMatchObject({ archive_mode: 'off' });
  });

  it('go to a bucket, with the credentials of a Secret', () => {
    const known = new Map([['cloud', { key: 'K', secret: 'S', authority: 'CERTIFICATE' }]]);
    const files = filesOf(bucket, known);
    expect(files['repository-cloud.conf']).toContain('repo1-s3-key-secret=S');
    expect(files['repository-cloud.conf']).toContain('repo1-path=/pgherd/default/herd');
    expect(files['repository-cloud.crt']).toBe('CERTIFICATE');
    // Without credentials it has no part in it, and is told otherwise.
    expect(filesOf(bucket)).not.toHaveProperty('repository-cloud.conf');
    const objects = desiredObjects(inputOf(specWith(bucket)));
    expect(objects.some(({ metadata }) => metadata.name === 'herd-backup')).toBe(false);
  });

  it('go to a volume that all members mount', () => {
    expect(filesOf(share)['repository-nas.conf']).toContain('repo1-path=/mnt/share/pg/default/herd');
  });

  it.each([
    ['directory: { path: /mnt/backups }', 'directory.path'],
    ['s3: { endpoint: e, bucket: b, credentials: /etc/s3.yaml }', 's3.credentialsSecret'],
    ['sftp: { host: h, user: u, path: /p, privateKeyFile: /k, hostFingerprint: f }', 'sftp'],
  ])('are refused where pods cannot reach them: %s', (repository, path) => {
    const lines = `backup:\n  repositories:\n    - name: x\n      ${repository}`;
    const { spec, config } = inputOf(specWith(lines));
    expect(judgeSpec(spec, config).errors.map(error => error.path)).toEqual([
      `spec.backup.repositories[0].${path}`,
    ]);
  });
});

describe('a clone', () => {
  const clone = 'clone: { cluster: other, timestamp: "2026-01-31T12:40:33+01:00" }';

  it('is restored by Patroni up to the moment', () => {
    const objects = desiredObjects(inputOf(specWith(clone)));
    const map = objects.find(({ metadata }) => metadata.name === 'herd-patroni') as unknown as {
      data: Record<string, string>;
    };
    expect(map.data['patroni.yml']).toContain('recovery_target_time: 2026-01-31 11:40:33.000+00');
    expect(map.data['clone.sh']).toContain('--stanza=other');
    expect(map.data['clone.sh']).toContain('"--target=2026-01-31 11:40:33.000+00"');
  });

  it('of itself is refused', () => {
    const { spec, config } = inputOf(specWith('clone: { cluster: herd }'));
    expect(judgeSpec(spec, config).errors.map(({ path }) => path)).toEqual(['spec.clone.cluster']);
  });
});

it('the pod of a restore has the image, the rights and the keys of a member, and no access to its data', () => {
  const set = desiredObjects(inputOf(specWith(share))).find(({ kind }) => kind === 'StatefulSet');
  const pod = restorePod({ name: 'herd', namespace: 'default' }, 'herd-restore-1', set?.spec as MembersLive, {
    owner: {},
    note: '{}',
  });
  expect(podSecurityOffences(pod.spec)).toEqual([]);
  const { volumes } = pod.spec as { volumes: { name: string }[] };
  expect(volumes.map(({ name }) => name)).toEqual(['restore', 'tmp', 'run', 'pgbackrest', 'share']);
});
