import type { EndpointName } from './spec.ts';
import type { JsonValue } from './yamlTree.ts';

/** A Kubernetes object, or a part of one, as written in the manifest: only Kubernetes knows its fields. */
export type KubernetesPart = { [key: string]: JsonValue };

/**
 * What the manifest says about pods, services and volumes: acted on where the cluster runs on Kubernetes, and warned
 * about on one machine. Nothing in it is a default of ours: undefined leaves the choice to the operator.
 */
export interface KubernetesSpec {
  /** Born as a copy of a cluster of the same namespace, out of its backups; undefined: empty. */
  clone:
    | {
        cluster: string /** ISO 8601 in UTC; undefined: to the end of its archive. */;
        time: string | undefined;
      }
    | undefined;
  /** Image of the database pods in the place of the operator's for the version. */
  image: string | undefined;
  poolerImage: string | undefined;
  volume: {
    storageClass: string | undefined;
    selector: KubernetesPart | undefined;
    subPath: string | undefined;
    isSubPathExpr: boolean;
  };
  /** Quantities as written, by resource name: `hugepages-2Mi`. */
  hugepages: { requests: Record<string, string>; limits: Record<string, string> };
  env: KubernetesPart[];
  envFrom: KubernetesPart[];
  tolerations: KubernetesPart[] | undefined;
  nodeAffinity: KubernetesPart | undefined;
  topologySpreadConstraints: KubernetesPart[];
  priorityClassName: string | undefined;
  schedulerName: string | undefined;
  runAsUser: number | undefined;
  runAsGroup: number | undefined;
  fsGroup: number | undefined;
  livenessProbe: KubernetesPart | undefined;
  shmVolume: boolean;
  initContainers: KubernetesPart[];
  sidecars: KubernetesPart[];
  additionalVolumes: AdditionalVolumeSpec[];
  /** undefined: certificates of the cluster's own authority. */
  tls: TlsSpec | undefined;
  podAnnotations: Record<string, string>;
  services: Record<EndpointName, ServiceSpec>;
  secretRotation: { byNewRole: string[]; inPlace: string[]; never: string[] };
  /** Prepared database to the namespace of the Secrets of its users. */
  secretNamespaces: Record<string, string>;
}

export interface ServiceSpec {
  loadBalancer: boolean;
  /** Wins over `loadBalancer`. */
  nodePort: boolean;
  /** undefined: chosen by Kubernetes. */
  port: number | undefined;
  annotations: Record<string, string>;
}

export interface AdditionalVolumeSpec {
  name: string;
  mountPath: string;
  subPath: string | undefined;
  isSubPathExpr: boolean;
  /** Names of containers, or `all`; `postgres` when the manifest names none. */
  targetContainers: string[];
  source: KubernetesPart;
}

export interface TlsSpec {
  secretName: string;
  certificateFile: string;
  privateKeyFile: string;
  /** undefined: clients and standbys do not verify against an authority of the manifest. */
  caFile: string | undefined;
  /** Where `caFile` lies when not in `secretName`. */
  caSecretName: string | undefined;
}
