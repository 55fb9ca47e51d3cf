import { formatBytes } from '../../../core/manifest/quantity.ts';
import { repositoryImageOf } from './images.ts';
import type { ObjectsInput } from './input.ts';
import { APPLICATION_LABEL, CLUSTER_LABEL, clusterLabels, memberSelector, metaOf } from './labels.ts';
import { HOST_DIRECTORY, REPOSITORY_DIRECTORY, SECRET_MODE } from './layout.ts';
import { repositoryHostName, SSH_PORT } from './names.ts';
import { defined, type KubeObject } from './object.ts';
import { wantsRepositoryHost } from './repositories.ts';
import { scheduling } from './scheduling.ts';
import { locked, podSecurity } from './security.ts';

const APPLICATION = 'pgherd-repository';
const VOLUME = 'repository';

/** What selects the repository host of a cluster. */
export function repositorySelector(cluster: string): Record<string, string> {
  return { [APPLICATION_LABEL]: APPLICATION, [CLUSTER_LABEL]: cluster };
}

/**
 * The place of a cluster's backups where the manifest names none: a pod with a volume of its own, that the members
 * reach by SFTP. It is found where no member is, if there is such a node.
 */
export function repositoryHost(input: ObjectsInput): KubeObject[] {
  const { spec } = input;
  if (!wantsRepositoryHost(spec)) return [];
  const name = repositoryHostName(spec.name);
  const labels = { ...clusterLabels(input), ...repositorySelector(spec.name) };
  const ports = [{ name: 'ssh', port: SSH_PORT, targetPort: SSH_PORT, protocol: 'TCP' }];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metaOf(input, name, { labels }),
      spec: { type: 'ClusterIP', selector: repositorySelector(spec.name), ports },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: metaOf(input, name, { labels }),
      spec: {
        replicas: 1,
        serviceName: name,
        selector: { matchLabels: repositorySelector(spec.name) },
        template: {
          metadata: {
            labels,
            annotations: defined({
              ...input.config.pods.annotations,
              'pgherd.dev/secrets-hash': input.facts.repositoryKeysHash,
            }),
          },
          spec: pod(input, name),
        },
        volumeClaimTemplates: [claim(input)],
      },
    },
  ];
}

function pod(input: ObjectsInput, name: string) {
  const { spec, config } = input;
  const { runAsUser, runAsGroup, fsGroup } = config.pods;
  return defined({
    ...scheduling(input, memberSelector(spec.name)),
    ...apart(input),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // Whoever pushes a segment comes back within seconds.
    terminationGracePeriodSeconds: 10,
    // As in the image, whatever the members run as: sshd looks its user up.
    securityContext: podSecurity(runAsUser, runAsGroup, fsGroup),
    containers: [
      {
        name: 'repository',
        image: repositoryImageOf(spec, config),
        imagePullPolicy: config.pods.imagePullPolicy,
        args: ['/usr/sbin/sshd', '-D', '-e', '-f', `${HOST_DIRECTORY}/sshd_config`],
        ports: [{ name: 'ssh', containerPort: SSH_PORT, protocol: 'TCP' }],
        resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
        securityContext: locked,
        readinessProbe: { tcpSocket: { port: SSH_PORT }, periodSeconds: 5 },
        volumeMounts: [
          { name: VOLUME, mountPath: REPOSITORY_DIRECTORY },
          { name: 'host', mountPath: HOST_DIRECTORY, readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'host', secret: { secretName: name, defaultMode: SECRET_MODE } },
      { name: 'tmp', emptyDir: {} },
    ],
  });
}

/** A wish only: the members themselves may need every node. */
function apart({ spec, config }: ObjectsInput) {
  const { nodeAffinity } = spec.kubernetes;
  const labelSelector = { matchLabels: memberSelector(spec.name) };
  const term = { topologyKey: config.spread.topologyKey, labelSelector };
  const podAntiAffinity = {
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
  };
  return { affinity: defined({ nodeAffinity, podAntiAffinity }) };
}

/** Two full backups, what lies between, and their WAL need about as much as the data, compressed. */
function claim({ spec, config }: ObjectsInput) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: VOLUME, labels: repositorySelector(spec.name) },
    spec: defined({
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      storageClassName: config.backup.storageClass ?? config.volumes.storageClass,
      resources: { requests: { storage: config.backup.size ?? formatBytes(2 * spec.volume.sizeBytes) } },
    }),
  };
}
