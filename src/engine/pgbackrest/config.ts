import type { BackupSpec } from '../../core/manifest/specBackup.ts';
import { knowsBlocks } from './versions.ts';

/** One repository with all that is needed to use it. Holds secrets. */
export interface RepositoryConfig {
  /** pgBackRest's name of the storage. */
  storage:
    | { type: 'posix' | 'cifs' }
    | {
        type: 's3';
        endpoint: string;
        bucket: string;
        region: string;
        pathStyle: boolean;
        verifyTls: boolean;
        caFile: string | undefined;
        key: string;
        secret: string;
      }
    | {
        type: 'sftp';
        host: string;
        port: number;
        user: string;
        privateKeyFile: string;
        publicKeyFile: string | undefined;
        hostFingerprint: string;
      };
  path: string;
  /** undefined: not encrypted. */
  passphrase: string | undefined;
  retention: BackupSpec['retention'];
}

export interface ConfigInput {
  version: string;
  stanza: string;
  /** Numbered from 1 in this order. */
  repositories: RepositoryConfig[];
  compression: BackupSpec['compression'];
  /** Processes that compress and copy. */
  processes: number;
  lockDirectory: string;
  spoolDirectory: string;
  /** Of the server that the file is for, where one is meant; the command line names others. */
  dataDirectory: string | undefined;
  /** Of that server's socket, where the command line does not name it. */
  socketDirectory?: string;
}

/** Longest wait for a storage that does not answer: a share or bucket that is gone must not hold up the others. */
const IO_TIMEOUT_SECONDS = 20;
/** How long archive-push waits for the process in the background; PostgreSQL asks again. */
const PUSH_TIMEOUT_SECONDS = 30;
/** WAL is compressed by whoever writes it: little, but at once. */
const LEVELS = { zst: 1, lz4: 1, gz: 3 } as const;

/** A pgbackrest.conf. It holds secrets: 0600, for the servers' user. */
export function renderConfig(input: ConfigInput): string {
  const { compression } = input;
  const lines: [string, string | number | undefined][] = [
    ['lock-path', input.lockDirectory],
    ['spool-path', input.spoolDirectory],
    ['log-level-file', 'off'],
    ['log-level-console', 'off'],
    ['log-level-stderr', 'error'],
    ['compress-type', compression],
    ['compress-level', compression === 'none' ? undefined : LEVELS[compression]],
    ['process-max', input.processes],
    ['io-timeout', IO_TIMEOUT_SECONDS],
    ['start-fast', 'y'],
    ['delta', 'n'],
    ...input.repositories.flatMap((repository, n) => repositoryLines(repository, n + 1, input.version)),
  ];
  const push: [string, string | number][] = [
    ['archive-async', 'y'],
    ['archive-timeout', PUSH_TIMEOUT_SECONDS],
  ];
  return [
    '# Rendered by pgherd; edits are overwritten.',
    ...section('global', lines),
    ...section('global:archive-push', push),
    ...section(input.stanza, [
      ['pg1-path', input.dataDirectory ?? '/nonexistent'],
      ['pg1-socket-path', input.socketDirectory],
    ]),
    '',
  ].join('\n');
}

function section(name: string, lines: [string, string | number | undefined][]): string[] {
  return [
    `[${name}]`,
    ...lines.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])),
    '',
  ];
}

function repositoryLines(
  { storage, path, passphrase, retention }: RepositoryConfig,
  number: number,
  version: string,
): [string, string | number | undefined][] {
  const own: [string, string | number | undefined][] = [
    ['type', storage.type],
    ['path', path],
    ['cipher-type', passphrase === undefined ? undefined : 'aes-256-cbc'],
    ['cipher-pass', passphrase],
    ['retention-full-type', retention.by === 'days' ? 'time' : 'count'],
    ['retention-full', retention.amount],
    // Thousands of small files are slow on every storage, and slowest on shares and buckets.
    ['bundle', 'y'],
    ['block', knowsBlocks(version) ? 'y' : undefined],
    ...storageLines(storage),
  ];
  return own.map(([key, value]) => [`repo${number}-${key}`, value]);
}

function storageLines(storage: RepositoryConfig['storage']): [string, string | number | undefined][] {
  if (storage.type === 's3') {
    const { host, port } = splitEndpoint(storage.endpoint);
    return [
      ['s3-endpoint', host],
      ['storage-port', port],
      ['s3-bucket', storage.bucket],
      ['s3-region', storage.region],
      ['s3-uri-style', storage.pathStyle ? 'path' : 'host'],
      ['storage-verify-tls', storage.verifyTls ? undefined : 'n'],
      ['storage-ca-file', storage.caFile],
      ['s3-key', storage.key],
      ['s3-key-secret', storage.secret],
    ];
  }
  if (storage.type === 'sftp') {
    return [
      ['sftp-host', storage.host],
      ['sftp-host-port', storage.port],
      ['sftp-host-user', storage.user],
      ['sftp-private-key-file', storage.privateKeyFile],
      ['sftp-public-key-file', storage.publicKeyFile],
      ['sftp-host-key-hash-type', 'sha256'],
      ['sftp-host-key-check-type', 'fingerprint'],
      ['sftp-host-fingerprint', storage.hostFingerprint],
    ];
  }
  return [];
}

/** "host:9000", "https://host" or "host". */
function splitEndpoint(endpoint: string): { host: string; port: number | undefined } {
  const bare = endpoint.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const [, host = bare, port] = /^(.*):(\d+)$/.exec(bare) ?? [];
  return { host, port: port === undefined ? undefined : Number(port) };
}
