/** Where things are inside the pods: what the images and the mounts agree on. */
import { dataMount } from '../../../core/manifest/sections/kubernetes.ts';
import type { TlsSpec } from '../../../core/manifest/specKubernetes.ts';
import type { TlsFiles } from '../../../engine/patroni/render.ts';

export const DATA_DIRECTORY = `${dataMount}/pgroot/data`;
export const SOCKET_DIRECTORY = '/run/postgresql';
export const PATRONI_DIRECTORY = '/etc/patroni';
export const PATRONI_FILE = `${PATRONI_DIRECTORY}/patroni.yml`;
export const POOLER_DIRECTORY = '/etc/pgbouncer';
export const POOLER_RUN_DIRECTORY = '/run/pgbouncer';
export const USERLIST_DIRECTORY = '/etc/pgbouncer-users';

/** Configurations of pgBackRest with what they name: a Secret. */
export const BACKUP_DIRECTORY = '/etc/pgbackrest';
/** All repositories, for archive-push and archive-get. */
export const ARCHIVE_CONFIG = `${BACKUP_DIRECTORY}/archive.conf`;
/** pgBackRest refuses a command that does not name it. */
export const ARCHIVE_SCRIPT = `${BACKUP_DIRECTORY}/pgbackrest-push`;
export const PGBACKREST = '/usr/bin/pgbackrest';
/** What the archive script leaves when it fails. */
export const ARCHIVE_FAILURE = '/tmp/pgbackrest-failure';
export const PGBACKREST_LOCKS = '/tmp/pgbackrest/lock';
export const PGBACKREST_SPOOL = '/tmp/pgbackrest/spool';

/** In the pod of a restore. */
export const RESTORE_DIRECTORY = '/restore';

/** In the repository host. */
export const REPOSITORY_DIRECTORY = '/repository';
export const HOST_DIRECTORY = '/etc/pgherd/repository';

/** Certificates of the cluster's own authority. */
export const OWN_TLS_DIRECTORY = '/etc/pgherd/tls';
/** Certificates of the manifest, where the format mounts them. */
const TLS_DIRECTORY = '/tls';
const TLS_AUTHORITY_DIRECTORY = '/tlsca';

/** Secrets are readable for the group of the volumes (fsGroup) and for nobody else. */
export const SECRET_MODE = 0o640;

export const OWN_TLS: TlsFiles = {
  ca: `${OWN_TLS_DIRECTORY}/ca.crt`,
  cert: `${OWN_TLS_DIRECTORY}/tls.crt`,
  key: `${OWN_TLS_DIRECTORY}/tls.key`,
};

export function binDirectory(major: string): string {
  return `/usr/lib/postgresql/${major}/bin`;
}

/** What PostgreSQL and the poolers present to clients. */
export function serverTls(tls: TlsSpec | undefined): Omit<TlsFiles, 'ca'> & { ca: string | undefined } {
  if (tls === undefined) return OWN_TLS;
  const authority = tls.caSecretName === undefined ? TLS_DIRECTORY : TLS_AUTHORITY_DIRECTORY;
  return {
    ca: tls.caFile === undefined ? undefined : `${authority}/${tls.caFile}`,
    cert: `${TLS_DIRECTORY}/${tls.certificateFile}`,
    key: `${TLS_DIRECTORY}/${tls.privateKeyFile}`,
  };
}

/** Secrets of certificates with the place where each is mounted. */
export function tlsMounts(
  own: string,
  tls: TlsSpec | undefined,
): { volume: string; secret: string; path: string }[] {
  const mounts = [{ volume: 'tls-pgherd', secret: own, path: OWN_TLS_DIRECTORY }];
  if (tls !== undefined) mounts.push({ volume: 'tls', secret: tls.secretName, path: TLS_DIRECTORY });
  if (tls?.caFile !== undefined && tls.caSecretName !== undefined)
    mounts.push({ volume: 'tls-ca', secret: tls.caSecretName, path: TLS_AUTHORITY_DIRECTORY });
  return mounts;
}
