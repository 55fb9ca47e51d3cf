import { describe, expect, it } from 'vitest';
import { type ConfigInput, type RepositoryConfig, renderConfig } from './config.ts';

const retention = { by: 'full' as const, amount: 2 };
const posix: RepositoryConfig = {
  storage: { type: 'posix' },
  path: '/backups/demo-0',
  passphrase: 'geheim',
  retention,
};

function rendered(repositories: RepositoryConfig[], changes: Partial<ConfigInput> = {}): string[] {
  return renderConfig({
    version: '2.45',
    stanza: 'demo',
    repositories,
    compression: 'zst',
    processes: 2,
    lockDirectory: '/run/lock',
    spoolDirectory: '/run/spool',
    dataDirectory: undefined,
    ...changes,
  }).split('\n');
}

describe('renderConfig', () => {
  it('numbers repositories in their order, each with its own cipher and retention', () => {
    const lines = rendered([
      posix,
      {
        ...posix,
        storage: { type: 'cifs' },
        path: '/mnt/share',
        passphrase: undefined,
        retention: { by: 'days', amount: 14 },
      },
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'repo1-type=posix',
        'repo1-cipher-type=aes-256-cbc',
        'repo1-cipher-pass=geheim',
        'repo1-retention-full-type=count',
        'repo1-retention-full=2',
        'repo2-type=cifs',
        'repo2-path=/mnt/share',
        'repo2-retention-full-type=time',
        'repo2-retention-full=14',
      ]),
    );
    expect(lines.filter(line => line.startsWith('repo2-cipher'))).toEqual([]);
  });

  it('never lets the archive drop WAL', () => {
    expect(rendered([posix]).join('\n')).not.toContain('archive-push-queue-max');
  });

  it('pushes in the background, so that a repository that is away does not hold up the others', () => {
    const lines = rendered([posix]);
    const push = lines.slice(lines.indexOf('[global:archive-push]'));
    expect(push).toContain('archive-async=y');
    expect(lines.slice(0, lines.indexOf('[global:archive-push]'))).not.toContain('archive-async=y');
  });

  it('uses increments of blocks only where their format is settled', () => {
    expect(rendered([posix])).not.toContain('repo1-block=y');
    expect(rendered([posix], { version: '2.55.1' })).toContain('repo1-block=y');
  });

  it('writes an S3 endpoint with its port apart', () => {
    const lines = rendered([
      {
        ...posix,
        path: '/pg/default/demo',
        storage: {
          type: 's3',
          endpoint: 'https://s3.example.org:9000',
          bucket: 'b',
          region: 'eu',
          pathStyle: true,
          verifyTls: false,
          caFile: '/etc/ca.crt',
          key: 'K',
          secret: 'S',
        },
      },
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'repo1-s3-endpoint=s3.example.org',
        'repo1-storage-port=9000',
        'repo1-s3-uri-style=path',
        'repo1-storage-verify-tls=n',
        'repo1-storage-ca-file=/etc/ca.crt',
        'repo1-s3-key=K',
        'repo1-s3-key-secret=S',
      ]),
    );
  });
});
