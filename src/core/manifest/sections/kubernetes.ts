import type { Findings } from '../findings.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { EndpointName } from '../spec.ts';
import type {
  AdditionalVolumeSpec,
  KubernetesPart,
  KubernetesSpec,
  ServiceSpec,
  TlsSpec,
} from '../specKubernetes.ts';
import type { JsonValue } from '../yamlTree.ts';

/** The container of the database: what the format calls it, and where volumes go that name none. */
export const databaseContainer = 'postgres';

/** Where the format mounts the data volume; nothing else may be mounted there. */
export const dataMount = '/home/postgres/pgdata';

function readClone({ clone }: SpecSource): KubernetesSpec['clone'] {
  if (clone == null) return undefined;
  // What is no moment was reported elsewhere.
  const at = Date.parse(clone.timestamp ?? '');
  return { cluster: clone.cluster, time: Number.isNaN(at) ? undefined : new Date(at).toISOString() };
}

/** The fields of the format that only Kubernetes can honour. What Kubernetes alone understands passes as written. */
export function readKubernetes(spec: SpecSource, findings: Findings): KubernetesSpec {
  return {
    clone: readClone(spec),
    image: spec.dockerImage ?? undefined,
    poolerImage: spec.connectionPooler?.dockerImage ?? undefined,
    volume: {
      storageClass: spec.volume.storageClass ?? undefined,
      selector: part(spec.volume.selector),
      subPath: spec.volume.subPath ?? undefined,
      isSubPathExpr: spec.volume.isSubPathExpr ?? false,
    },
    hugepages: {
      requests: hugepages(spec.resources?.requests),
      limits: hugepages(spec.resources?.limits),
    },
    env: parts(spec.env),
    envFrom: parts(spec.envFrom),
    tolerations: spec.tolerations == null ? undefined : parts(spec.tolerations),
    nodeAffinity: part(spec.nodeAffinity),
    topologySpreadConstraints: parts(spec.topologySpreadConstraints),
    priorityClassName: spec.podPriorityClassName ?? spec.pod_priority_class_name ?? undefined,
    schedulerName: spec.schedulerName ?? undefined,
    runAsUser: spec.spiloRunAsUser ?? undefined,
    runAsGroup: spec.spiloRunAsGroup ?? undefined,
    fsGroup: spec.spiloFSGroup ?? undefined,
    livenessProbe: part(spec.livenessProbe),
    shmVolume: spec.enableShmVolume ?? true,
    initContainers: parts(spec.initContainers ?? spec.init_containers),
    sidecars: readSidecars(spec, findings),
    additionalVolumes: readAdditionalVolumes(spec, findings),
    tls: readTls(spec),
    podAnnotations: spec.podAnnotations ?? {},
    services: readServices(spec),
    secretRotation: {
      byNewRole: spec.usersWithSecretRotation ?? [],
      inPlace: spec.usersWithInPlaceSecretRotation ?? [],
      never: spec.usersIgnoringSecretRotation ?? [],
    },
    secretNamespaces: Object.fromEntries(
      Object.entries(spec.preparedDatabases ?? {}).flatMap(([name, database]) =>
        database?.secretNamespace == null ? [] : [[name, database.secretNamespace]],
      ),
    ),
  };
}

function readServices(spec: SpecSource): Record<EndpointName, ServiceSpec> {
  const service = (
    loadBalancer: boolean | null | undefined,
    nodePort: boolean | null | undefined,
    port: number | null | undefined,
    own: Record<string, string> | null | undefined,
  ): ServiceSpec => ({
    loadBalancer: loadBalancer ?? false,
    nodePort: nodePort ?? false,
    // 0 is the format's way to say "chosen by Kubernetes".
    port: port || undefined,
    annotations: { ...spec.serviceAnnotations, ...own },
  });
  const { masterServiceAnnotations: primary, replicaServiceAnnotations: standby } = spec;
  return {
    primary: service(
      spec.enableMasterLoadBalancer ?? spec.useLoadBalancer,
      spec.enableMasterNodePort,
      spec.masterNodePort,
      primary,
    ),
    standby: service(
      spec.enableReplicaLoadBalancer ?? spec.replicaLoadBalancer,
      spec.enableReplicaNodePort,
      spec.replicaNodePort,
      standby,
    ),
    pooler: service(
      spec.enableMasterPoolerLoadBalancer,
      spec.enableMasterPoolerNodePort,
      spec.masterPoolerNodePort,
      primary,
    ),
    poolerStandby: service(
      spec.enableReplicaPoolerLoadBalancer,
      spec.enableReplicaPoolerNodePort,
      spec.replicaPoolerNodePort,
      standby,
    ),
  };
}

function readSidecars(spec: SpecSource, findings: Findings): KubernetesPart[] {
  const seen = new Set([databaseContainer]);
  for (const [index, { name }] of (spec.sidecars ?? []).entries()) {
    if (seen.has(name)) {
      findings.error(['spec', 'sidecars', index, 'name'], {
        code: 'contradiction',
        message: `two containers of a pod cannot both be called ${name}`,
        hint:
          name === databaseContainer ? 'the database has that name: choose another' : 'rename one of the two',
      });
    }
    seen.add(name);
  }
  return parts(spec.sidecars);
}

function readAdditionalVolumes(spec: SpecSource, findings: Findings): AdditionalVolumeSpec[] {
  const seen = new Map([[dataMount, 'the data volume']]);
  return (spec.additionalVolumes ?? []).map((volume, index) => {
    const mountPath = volume.mountPath.replace(/(?<=.)\/+$/, '');
    const taken = seen.get(mountPath);
    if (taken !== undefined) {
      findings.error(['spec', 'additionalVolumes', index, 'mountPath'], {
        code: 'contradiction',
        message: `${mountPath} is where ${taken} is mounted`,
        hint: 'choose another mountPath',
      });
    }
    seen.set(mountPath, `the volume ${volume.name}`);
    const targets = volume.targetContainers ?? [];
    return {
      name: volume.name,
      mountPath,
      subPath: volume.subPath ?? undefined,
      isSubPathExpr: volume.isSubPathExpr ?? false,
      targetContainers: targets.length === 0 ? [databaseContainer] : targets,
      // The format's own reading of a volume without a source: an empty directory.
      source: part(volume.volumeSource) ?? { emptyDir: {} },
    };
  });
}

function readTls(spec: SpecSource): TlsSpec | undefined {
  const { tls } = spec;
  if (tls == null || tls.secretName === '') return undefined;
  return {
    secretName: tls.secretName,
    certificateFile: tls.certificateFile || 'tls.crt',
    privateKeyFile: tls.privateKeyFile || 'tls.key',
    caFile: tls.caFile || undefined,
    caSecretName: tls.caSecretName || undefined,
  };
}

type Amounts = NonNullable<NonNullable<SpecSource['resources']>['requests']>;

function hugepages(amounts: Amounts | null | undefined): Record<string, string> {
  return Object.fromEntries(
    (['hugepages-2Mi', 'hugepages-1Gi'] as const).flatMap(name => {
      const amount = amounts?.[name];
      return amount == null || ['', '0', 'null'].includes(amount) ? [] : [[name, amount]];
    }),
  );
}

function parts(list: readonly object[] | null | undefined): KubernetesPart[] {
  return (list ?? []).map(item => clean(item) as KubernetesPart);
}

function part(value: object | null | undefined): KubernetesPart | undefined {
  return value == null ? undefined : (clean(value) as KubernetesPart);
}

/** Without the empty values of a map: the same as absent in the format, and in most of Kubernetes' own maps. */
function clean(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(clean);
  if (value === null || typeof value !== 'object') return value as JsonValue;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null && child !== undefined)
      .map(([key, child]) => [key, clean(child)]),
  );
}
