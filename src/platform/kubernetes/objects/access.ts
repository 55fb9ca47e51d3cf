import type { ObjectsInput } from './input.ts';
import { metaOf } from './labels.ts';
import { accountName, patroniConfigMaps, podName } from './names.ts';
import type { KubeObject } from './object.ts';

/**
 * What Patroni in the pods of this cluster may do, and no more: write its own ConfigMaps and its own pods. Whoever
 * lists, watches or creates names no object beforehand, so those rights hold for the namespace.
 */
export function access(input: ObjectsInput): KubeObject[] {
  const { spec, owner, facts } = input;
  const name = accountName(spec.name);
  const count = Math.max(spec.instances, facts.podsSeen);
  const pods = Array.from({ length: count }, (_, ordinal) => podName(spec.name, ordinal));
  const rule = (resource: string, verbs: string[], resourceNames?: string[]) => ({
    apiGroups: [''],
    resources: [resource],
    verbs,
    ...(resourceNames === undefined ? {} : { resourceNames }),
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metaOf(input, name) },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metaOf(input, name),
      rules: [
        rule('configmaps', ['create', 'list', 'watch']),
        rule('configmaps', ['get', 'patch', 'update', 'delete'], patroniConfigMaps(spec.name)),
        rule('pods', ['list', 'watch']),
        // A rule with an empty list of names would hold for all pods.
        ...(pods.length === 0 ? [] : [rule('pods', ['get', 'patch', 'update'], pods)]),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metaOf(input, name),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: owner.namespace }],
    },
  ];
}
