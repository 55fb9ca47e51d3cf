import { databaseContainer, dataMount } from '../../../core/manifest/sections/kubernetes.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { AdditionalVolumeSpec, KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import { SOURCE_DIRECTORY } from './clone.ts';
import { BACKUP_DIRECTORY, PATRONI_DIRECTORY, SECRET_MODE, SOCKET_DIRECTORY, tlsMounts } from './layout.ts';
import { backupConfigName, certificateSecretName, memberConfigName } from './names.ts';
import { defined } from './object.ts';
import { archives } from './repositories.ts';

/** Name of the claim template of the data volume. */
export const DATA_VOLUME = 'pgdata';

/**
 * Volumes of a database pod beside the data, `additional` ones last. Whatever PostgreSQL and Patroni write elsewhere
 * is in an emptyDir.
 */
export function podVolumes(
  spec: ClusterSpec,
  additional: AdditionalVolumeSpec[] = spec.kubernetes.additionalVolumes,
): KubernetesPart[] {
  const { name: cluster, kubernetes } = spec;
  return [
    { name: 'patroni', configMap: { name: memberConfigName(cluster) } },
    ...tlsMounts(certificateSecretName(cluster), kubernetes.tls).map(({ volume, secret }) => ({
      name: volume,
      secret: { secretName: secret, defaultMode: SECRET_MODE },
    })),
    ...(archives(spec)
      ? [{ name: 'pgbackrest', secret: { secretName: backupConfigName(cluster), defaultMode: SECRET_MODE } }]
      : []),
    ...(kubernetes.clone === undefined
      ? []
      : [
          {
            name: 'pgbackrest-source',
            secret: {
              secretName: backupConfigName(kubernetes.clone.cluster),
              defaultMode: SECRET_MODE,
              // Of use for the first start only: the source may go, the clone stays.
              optional: true,
            },
          },
        ]),
    { name: 'tmp', emptyDir: {} },
    { name: 'run', emptyDir: {} },
    // Bounded by the memory limit of the container; the runtime's own /dev/shm would have 64 MB.
    ...(kubernetes.shmVolume ? [{ name: 'dshm', emptyDir: { medium: 'Memory' } }] : []),
    ...additional.map(({ name, source }) => ({ name, ...source })),
  ];
}

export function databaseMounts(
  spec: ClusterSpec,
  additional: AdditionalVolumeSpec[] = spec.kubernetes.additionalVolumes,
): KubernetesPart[] {
  const { name: cluster, kubernetes } = spec;
  return [
    dataVolumeMount(kubernetes.volume),
    { name: 'patroni', mountPath: PATRONI_DIRECTORY, readOnly: true },
    ...tlsMounts(certificateSecretName(cluster), kubernetes.tls).map(({ volume, path }) => ({
      name: volume,
      mountPath: path,
      readOnly: true,
    })),
    ...(archives(spec) ? [{ name: 'pgbackrest', mountPath: BACKUP_DIRECTORY, readOnly: true }] : []),
    ...(kubernetes.clone === undefined
      ? []
      : [{ name: 'pgbackrest-source', mountPath: SOURCE_DIRECTORY, readOnly: true }]),
    { name: 'tmp', mountPath: '/tmp' },
    { name: 'run', mountPath: SOCKET_DIRECTORY },
    ...(kubernetes.shmVolume ? [{ name: 'dshm', mountPath: '/dev/shm' }] : []),
    ...additionalMounts(additional, databaseContainer),
  ];
}

export function dataVolumeMount(volume: ClusterSpec['kubernetes']['volume']): KubernetesPart {
  return defined({ name: DATA_VOLUME, mountPath: dataMount, ...subPath(volume) });
}

/** Mounts of the manifest's own volumes that are meant for this container. */
export function additionalMounts(volumes: AdditionalVolumeSpec[], container: string): KubernetesPart[] {
  return volumes
    .filter(
      ({ targetContainers }) => targetContainers.includes('all') || targetContainers.includes(container),
    )
    .map(volume => defined({ name: volume.name, mountPath: volume.mountPath, ...subPath(volume) }));
}

function subPath({ subPath: path, isSubPathExpr }: { subPath: string | undefined; isSubPathExpr: boolean }) {
  return isSubPathExpr ? { subPathExpr: path } : { subPath: path };
}
