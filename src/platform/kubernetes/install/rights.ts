/** What the operator may do, and why. The least that its code needs: a verb that is missing is named in its log. */

export interface Right {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

const LOOK = ['get', 'list', 'watch'];
/** Server-side apply is a patch, and a creation when the object is new. */
const OWN = [...LOOK, 'create', 'patch', 'delete'];

function right(apiGroup: string, resources: string[], verbs: string[]): Right {
  return { apiGroups: [apiGroup], resources, verbs };
}

/** In each namespace with clusters. */
export const CLUSTER_RIGHTS: readonly Right[] = [
  // Reads manifests, holds them with its finalizer, writes their status.
  right('acid.zalan.do', ['postgresqls'], [...LOOK, 'patch']),
  right('acid.zalan.do', ['postgresqls/status'], ['patch']),
  // Owner references that block deletion need it where the API server asks.
  right('acid.zalan.do', ['postgresqls/finalizers'], ['update']),
  right('', ['serviceaccounts', 'services', 'secrets'], OWN),
  right('apps', ['statefulsets', 'deployments'], OWN),
  right('policy', ['poddisruptionbudgets'], OWN),
  right('batch', ['cronjobs'], OWN),
  right('networking.k8s.io', ['networkpolicies'], OWN),
  right('rbac.authorization.k8s.io', ['roles', 'rolebindings'], OWN),
  // Volumes are made by the StatefulSet; they are enlarged, and removed only when the manifest says so.
  right('', ['persistentvolumeclaims'], [...LOOK, 'patch', 'delete']),
  // Patroni's state is watched and a switchover written to it. The rest, like `update` of pods, is what the Role of
  // each cluster gives its Patroni: nobody may give what he does not have.
  right('', ['configmaps'], [...OWN, 'update']),
  // Made for restores beside a cluster: proofs of its backups.
  right('', ['pods'], [...LOOK, 'create', 'patch', 'update', 'delete']),
  // A pooler whose host fell silent is said to be not ready.
  right('', ['pods/status'], ['patch']),
  // Roles and databases: psql in the primary's pod. Older servers ask for `get`, newer ones for `create`.
  right('', ['pods/exec'], ['get', 'create']),
  // One at a time works on the backups of a cluster.
  right('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
  // What the sentinel did before is read again: the cool-down outlives the operator.
  right('', ['events'], ['list', 'create', 'patch']),
];

/** In the operator's own namespace: the election. */
export const LEASE_RIGHTS: readonly Right[] = [
  right('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
];

/** Of the whole cluster. */
export const WIDE_RIGHTS: readonly Right[] = [
  // A node that is closed has its primary moved away.
  right('', ['nodes'], LOOK),
  // Whether the operator that holds a cluster, perhaps one of another namespace, is still there.
  right('coordination.k8s.io', ['leases'], ['get']),
];
