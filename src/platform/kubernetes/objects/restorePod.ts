import { databaseContainer } from '../../../core/manifest/sections/kubernetes.ts';
import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import { APPLICATION_LABEL, CLUSTER_LABEL } from './labels.ts';
import { RESTORE_DIRECTORY, SOCKET_DIRECTORY } from './layout.ts';
import { defined, type KubeObject } from './object.ts';
import { locked } from './security.ts';

export const RESTORE_APPLICATION = 'pgherd-restore';
/** What is known of the restore in the pod: a document. */
export const RESTORE_ANNOTATION = 'pgherd.dev/restore';

/** Parts of the members' StatefulSet, as it is: image, rights and place are theirs. */
export interface MembersLive {
  template?: { spec?: KubernetesPart };
  volumeClaimTemplates?: { spec?: KubernetesPart }[];
}

/**
 * A pod for one restore beside the cluster, with a volume that goes with it. It waits for commands; its server listens
 * on a Unix socket alone.
 */
export function restorePod(
  cluster: { name: string; namespace: string },
  name: string,
  members: MembersLive,
  options: { owner: KubernetesPart; note: string },
): KubeObject {
  const spec = members.template?.spec ?? {};
  const containers = (spec.containers ?? []) as KubernetesPart[];
  const volumes = (spec.volumes ?? []) as KubernetesPart[];
  const mounts = (containers[0]?.volumeMounts ?? []) as KubernetesPart[];
  const database = containers.find(container => container.name === databaseContainer);
  const { storageClassName, resources } = members.volumeClaimTemplates?.[0]?.spec ?? {};
  const claim = defined({ accessModes: ['ReadWriteOnce'], storageClassName, resources });
  // Repositories may lie on volumes of the manifest's own.
  const own = new Set(['pgdata', 'patroni', 'tmp', 'run', 'dshm']);
  const shared = volumes.filter(
    volume => !own.has(String(volume.name)) && !String(volume.name).startsWith('tls'),
  );
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: { [APPLICATION_LABEL]: RESTORE_APPLICATION, [CLUSTER_LABEL]: cluster.name },
      annotations: { [RESTORE_ANNOTATION]: options.note },
      ownerReferences: [options.owner],
    },
    spec: defined({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 5,
      securityContext: spec.securityContext,
      tolerations: spec.tolerations,
      imagePullSecrets: spec.imagePullSecrets,
      priorityClassName: spec.priorityClassName,
      schedulerName: spec.schedulerName,
      containers: [
        defined({
          name: databaseContainer,
          image: database?.image,
          imagePullPolicy: database?.imagePullPolicy,
          args: ['sleep', 'infinity'],
          resources: database?.resources,
          securityContext: locked,
          volumeMounts: [
            { name: 'restore', mountPath: RESTORE_DIRECTORY },
            { name: 'tmp', mountPath: '/tmp' },
            { name: 'run', mountPath: SOCKET_DIRECTORY },
            ...mounts.filter(mount => shared.some(volume => volume.name === mount.name)),
          ],
        }),
      ],
      volumes: [
        { name: 'restore', ephemeral: { volumeClaimTemplate: { spec: claim } } },
        { name: 'tmp', emptyDir: {} },
        { name: 'run', emptyDir: {} },
        ...shared,
      ],
    }),
  };
}
