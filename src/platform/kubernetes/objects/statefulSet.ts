import { formatBytes } from '../../../core/manifest/quantity.ts';
import { databaseContainer } from '../../../core/manifest/sections/kubernetes.ts';
import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import { PATRONI_PORT } from '../../../engine/patroni/config.ts';
import { databaseEnvironment, environmentSources, sidecarEnvironment } from './environment.ts';
import { hashOf } from './hash.ts';
import { imageOf } from './images.ts';
import type { ObjectsInput } from './input.ts';
import { CLONE_LABEL, clusterLabels, inherited, memberSelector, metaOf, TEMPLATE_HASH } from './labels.ts';
import { PATRONI_FILE } from './layout.ts';
import { accountName, POSTGRES_PORT, serviceName } from './names.ts';
import { defined, type KubeObject } from './object.ts';
import { memberConfigHash } from './patroni.ts';
import { additionalMounts, DATA_VOLUME, databaseMounts, dataVolumeMount, podVolumes } from './podVolumes.ts';
import { containerResources } from './resources.ts';
import { scheduling } from './scheduling.ts';
import { locked, podSecurity, restricted } from './security.ts';
import { memberWish, WISH_HASH } from './wish.ts';

/**
 * The members. Pods are replaced by the operator alone (OnDelete): standbys first, the primary last. The number of
 * instances is no part of the template, so scaling replaces no pod.
 */
export function statefulSet(input: ObjectsInput): KubeObject {
  const { spec, config } = input;
  const template = podTemplate(input);
  const { whenDeleted, whenScaled } = config.volumes;
  const keepsVolumes = whenDeleted === 'Retain' && whenScaled === 'Retain';
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metaOf(input, spec.name, {
      annotations: {
        [TEMPLATE_HASH]: template.metadata.annotations[TEMPLATE_HASH],
        [WISH_HASH]: memberWish(input),
      },
    }),
    spec: defined({
      replicas: spec.instances,
      serviceName: serviceName(spec.name, 'primary'),
      selector: { matchLabels: memberSelector(spec.name) },
      podManagementPolicy: config.pods.managementPolicy,
      updateStrategy: { type: 'OnDelete' },
      // Kubernetes' default; older API servers do not know the field.
      persistentVolumeClaimRetentionPolicy: keepsVolumes ? undefined : { whenDeleted, whenScaled },
      template,
      volumeClaimTemplates: [dataClaim(input)],
    }),
  };
}

function podTemplate(input: ObjectsInput) {
  const { spec, config, facts } = input;
  const { kubernetes } = spec;
  const { runAsUser, runAsGroup, fsGroup } = config.pods;
  const annotations = defined({
    ...inherited(spec.annotations, config.inheritedAnnotations),
    ...config.pods.annotations,
    ...kubernetes.podAnnotations,
    'pgherd.dev/patroni-hash': memberConfigHash(input),
    'pgherd.dev/secrets-hash': facts.systemSecretsHash,
    'kubectl.kubernetes.io/restartedAt': facts.restartedAt,
  });
  const { clone } = kubernetes;
  const labels = {
    ...clusterLabels(input),
    ...(clone === undefined ? {} : { [CLONE_LABEL]: clone.cluster }),
  };
  const body = defined({
    serviceAccountName: accountName(spec.name),
    // A Service named like one of Patroni's settings must not become one.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: config.pods.terminationGracePeriodSeconds,
    securityContext: podSecurity(
      kubernetes.runAsUser ?? runAsUser,
      kubernetes.runAsGroup ?? runAsGroup,
      kubernetes.fsGroup ?? fsGroup,
    ),
    ...scheduling(input, memberSelector(spec.name), kubernetes.topologySpreadConstraints),
    initContainers:
      kubernetes.initContainers.length === 0
        ? undefined
        : kubernetes.initContainers.map(container => withMounts(input, hardened(container))),
    containers: [database(input), ...kubernetes.sidecars.map(container => sidecar(input, container))],
    volumes: podVolumes(spec),
  });
  const hash = hashOf({ labels, annotations, body });
  return { metadata: { labels, annotations: { ...annotations, [TEMPLATE_HASH]: hash } }, spec: body };
}

function database(input: ObjectsInput): KubernetesPart {
  const { spec, config } = input;
  const { kubernetes } = spec;
  const sources = environmentSources(input);
  return defined({
    name: databaseContainer,
    image: imageOf(spec, config),
    imagePullPolicy: config.pods.imagePullPolicy,
    // Arguments: the entry point of the image reaps what a killed Patroni leaves behind.
    args: ['patroni', PATRONI_FILE],
    ports: [
      { name: 'postgresql', containerPort: POSTGRES_PORT, protocol: 'TCP' },
      { name: 'patroni', containerPort: PATRONI_PORT, protocol: 'TCP' },
    ],
    env: databaseEnvironment(input),
    envFrom: sources.length === 0 ? undefined : sources,
    resources: containerResources(spec.resources, kubernetes.hugepages),
    securityContext: locked,
    readinessProbe: probe('/readiness', { periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 3 }),
    // Patroni's loop has not run for ttl and longer: it, not a busy PostgreSQL, hangs. Killing the container kills
    // PostgreSQL, so it has five minutes to come back by itself.
    livenessProbe:
      kubernetes.livenessProbe ??
      probe('/liveness', {
        initialDelaySeconds: 60,
        periodSeconds: 30,
        timeoutSeconds: 10,
        failureThreshold: 10,
      }),
    volumeMounts: databaseMounts(spec),
  });
}

/** The kubelet does not verify certificates, and has none to present: Patroni lets it read. */
function probe(path: string, timing: Record<string, number>): KubernetesPart {
  return { httpGet: { path, port: PATRONI_PORT, scheme: 'HTTPS' }, ...timing };
}

function sidecar(input: ObjectsInput, container: KubernetesPart): KubernetesPart {
  const env = (container.env ?? []) as KubernetesPart[];
  const mounts = (container.volumeMounts ?? []) as KubernetesPart[];
  return withMounts(input, {
    ...hardened(container),
    env: sidecarEnvironment(input, env),
    volumeMounts: [
      ...(mounts.some(({ name }) => name === DATA_VOLUME)
        ? []
        : [dataVolumeMount(input.spec.kubernetes.volume)]),
      ...mounts,
    ],
  });
}

function hardened(container: KubernetesPart): KubernetesPart {
  return { ...container, securityContext: { ...restricted, ...(container.securityContext as object) } };
}

function withMounts({ spec }: ObjectsInput, container: KubernetesPart): KubernetesPart {
  const more = additionalMounts(spec.kubernetes.additionalVolumes, String(container.name));
  if (more.length === 0) return container;
  return { ...container, volumeMounts: [...((container.volumeMounts ?? []) as KubernetesPart[]), ...more] };
}

/** The claim of each pod. A StatefulSet's claims cannot be changed: growing them is a step of the operator. */
function dataClaim({ spec, config }: ObjectsInput): KubernetesPart {
  const { volume } = spec.kubernetes;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: DATA_VOLUME, labels: memberSelector(spec.name) },
    spec: defined({
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      storageClassName: volume.storageClass ?? config.volumes.storageClass,
      selector: volume.selector,
      resources: { requests: { storage: formatBytes(spec.volume.sizeBytes) } },
    }),
  };
}
