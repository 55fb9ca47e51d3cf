import { archiveScript } from '../../../engine/pgbackrest/archiveScript.ts';
import { type RepositoryConfig, renderConfig } from '../../../engine/pgbackrest/config.ts';
import type { ObjectsInput } from './input.ts';
import { metaOf } from './labels.ts';
import {
  ARCHIVE_CONFIG,
  ARCHIVE_FAILURE,
  BACKUP_DIRECTORY,
  DATA_DIRECTORY,
  HOST_DIRECTORY,
  PGBACKREST,
  PGBACKREST_LOCKS,
  PGBACKREST_SPOOL,
  REPOSITORY_DIRECTORY,
  SOCKET_DIRECTORY,
} from './layout.ts';
import { backupConfigName, repositoryHostName, SSH_PORT } from './names.ts';
import type { KubeObject } from './object.ts';
import { authorityKey, configKey, type PodRepository, repositoriesOf } from './repositories.ts';

/** What cannot be made again, and what is computed from it. */
export interface BackupKeys {
  passphrase: string;
  /** Private keys, PEM. */
  hostKey: string;
  clientKey: string;
  hostFingerprint: string;
  /** Line of the authorised keys. */
  clientLine: string;
}

/** Of a bucket. */
export interface BucketCredentials {
  key: string;
  secret: string;
  /** Certificate of the service's authority; undefined: one that the image knows. */
  authority: string | undefined;
}

/** User of the image that runs everything. */
const USER = 'postgres';
/** pgBackRest of Debian 13. */
const VERSION = '2.55.1';
/** Processes that compress and copy, in the primary's pod. */
const PROCESSES = 2;

/**
 * Secret that is mounted in the pods: configurations of pgBackRest, one for each repository and one with all of them,
 * the archive script, and the keys they name. A repository whose credentials are unknown has no part in it.
 */
export function backupConfig(
  input: ObjectsInput,
  keys: BackupKeys,
  buckets: ReadonlyMap<string, BucketCredentials>,
): KubeObject {
  const { spec } = input;
  const known = repositoriesOf(spec).filter(({ name, spec: { kind } }) => kind !== 's3' || buckets.has(name));
  const configs = known.map(repository => ({
    repository,
    config: configOf(repository, input, keys, buckets.get(repository.name)),
  }));
  const text = (name: string, repositories: RepositoryConfig[]) =>
    renderConfig({
      version: VERSION,
      stanza: spec.name,
      repositories,
      compression: spec.backup.compression,
      processes: PROCESSES,
      lockDirectory: `${PGBACKREST_LOCKS}/${name}`,
      spoolDirectory: PGBACKREST_SPOOL,
      dataDirectory: DATA_DIRECTORY,
      socketDirectory: SOCKET_DIRECTORY,
    });
  const data: Record<string, string> = {
    'archive.conf': text(
      'archive',
      configs.map(({ config }) => config),
    ),
    'pgbackrest-push': archiveScript({
      program: PGBACKREST,
      config: ARCHIVE_CONFIG,
      stanza: spec.name,
      failure: ARCHIVE_FAILURE,
      made: undefined,
    }),
    'ssh-key': keys.clientKey,
  };
  for (const { repository, config } of configs)
    data[configKey(repository.name)] = text(repository.name, [config]);
  for (const [name, { authority }] of buckets)
    if (authority !== undefined) data[authorityKey(name)] = authority;
  return secret(input, backupConfigName(spec.name), data);
}

/** Secret of the repository host: its key, who may log in, and as what. */
export function hostConfig(input: ObjectsInput, keys: BackupKeys): KubeObject {
  return secret(input, repositoryHostName(input.spec.name), {
    sshd_config: SSHD_CONFIG,
    'host-key': keys.hostKey,
    'authorized-keys': `${keys.clientLine}\n`,
  });
}

/** Files only: no shell, no forwarding. Probes connect and go, which must not count against who comes from a node. */
const SSHD_CONFIG = `# Rendered by pgherd; edits are overwritten.
Port ${SSH_PORT}
HostKey ${HOST_DIRECTORY}/host-key
AuthorizedKeysFile ${HOST_DIRECTORY}/authorized-keys
StrictModes no
AllowUsers ${USER}
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
DisableForwarding yes
PermitTTY no
PermitUserRC no
PrintMotd no
PrintLastLog no
PidFile none
MaxStartups 100
MaxSessions 100
PerSourcePenalties no
LogLevel ERROR
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d ${REPOSITORY_DIRECTORY}
`;

function configOf(
  { spec: wanted, path, name }: PodRepository,
  { spec, owner, config }: ObjectsInput,
  keys: BackupKeys,
  bucket: BucketCredentials | undefined,
): RepositoryConfig {
  const passphrase = spec.backup.encryption ? keys.passphrase : undefined;
  const own = { path, passphrase, retention: spec.backup.retention };
  switch (wanted.kind) {
    case 'members':
      return {
        ...own,
        storage: {
          type: 'sftp',
          host: `${repositoryHostName(spec.name)}.${owner.namespace}.svc.${config.clusterDomain}`,
          port: SSH_PORT,
          user: USER,
          privateKeyFile: `${BACKUP_DIRECTORY}/ssh-key`,
          publicKeyFile: undefined,
          hostFingerprint: keys.hostFingerprint,
        },
      };
    case 'directory':
      return { ...own, storage: { type: wanted.type === 'cifs' ? 'cifs' : 'posix' } };
    case 's3': {
      const { endpoint, bucket: place, region, pathStyle, verifyTls } = wanted;
      const { key = '', secret: word = '', authority } = bucket ?? {};
      const caFile = authority === undefined ? undefined : `${BACKUP_DIRECTORY}/${authorityKey(name)}`;
      return {
        ...own,
        storage: {
          type: 's3',
          endpoint,
          bucket: place,
          region,
          pathStyle,
          verifyTls,
          caFile,
          key,
          secret: word,
        },
      };
    }
    case 'sftp':
      throw new TypeError('judgeSpec refuses repositories on SFTP servers');
  }
}

function secret(input: ObjectsInput, name: string, content: Record<string, string>): KubeObject {
  const data = Object.entries(content).map(([key, text]) => [
    key,
    Buffer.from(text, 'utf8').toString('base64'),
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metaOf(input, name),
    type: 'Opaque',
    data: Object.fromEntries(data),
  };
}
