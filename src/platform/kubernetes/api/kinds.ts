/** A reference to whoever owns an object; with `controller`, deletion of the owner deletes the object. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface LiveMetadata {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** An object as the API server has it, without its managedFields. */
export interface LiveObject {
  apiVersion: string;
  kind: string;
  metadata: LiveMetadata;
  [field: string]: unknown;
}

/** An object to be sent: metadata holds what we have an opinion about. */
export interface SentObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string | undefined;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: unknown[];
    resourceVersion?: string;
  };
  [field: string]: unknown;
}

interface KindInfo {
  apiVersion: string;
  /** As it stands in the path, and in a role's `resources`. */
  plural: string;
  clusterWide?: true;
}

/** Every kind the operator speaks of. All exist in API servers from 1.21 on. */
const KINDS = {
  postgresql: { apiVersion: 'acid.zalan.do/v1', plural: 'postgresqls' },
  StatefulSet: { apiVersion: 'apps/v1', plural: 'statefulsets' },
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  Pod: { apiVersion: 'v1', plural: 'pods' },
  Service: { apiVersion: 'v1', plural: 'services' },
  Endpoints: { apiVersion: 'v1', plural: 'endpoints' },
  Secret: { apiVersion: 'v1', plural: 'secrets' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  ServiceAccount: { apiVersion: 'v1', plural: 'serviceaccounts' },
  PersistentVolumeClaim: { apiVersion: 'v1', plural: 'persistentvolumeclaims' },
  Event: { apiVersion: 'v1', plural: 'events' },
  Namespace: { apiVersion: 'v1', plural: 'namespaces', clusterWide: true },
  CustomResourceDefinition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    plural: 'customresourcedefinitions',
    clusterWide: true,
  },
  Node: { apiVersion: 'v1', plural: 'nodes', clusterWide: true },
  PodDisruptionBudget: { apiVersion: 'policy/v1', plural: 'poddisruptionbudgets' },
  CronJob: { apiVersion: 'batch/v1', plural: 'cronjobs' },
  Role: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'roles' },
  RoleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings' },
  NetworkPolicy: { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies' },
  Lease: { apiVersion: 'coordination.k8s.io/v1', plural: 'leases' },
} satisfies Record<string, KindInfo>;

export type Kind = keyof typeof KINDS;

export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

export function infoOf(kind: Kind): KindInfo {
  return KINDS[kind];
}

/** Path of a collection (no name) or of one object; namespace undefined: all namespaces. */
export function pathOf(kind: Kind, namespace: string | undefined, name?: string): string {
  const { apiVersion, plural, clusterWide } = infoOf(kind);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = clusterWide || namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
