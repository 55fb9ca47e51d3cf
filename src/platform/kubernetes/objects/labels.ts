import type { EndpointName } from '../../../core/manifest/spec.ts';
import type { ObjectsInput } from './input.ts';
import type { ObjectMeta } from './object.ts';

export const APPLICATION_LABEL = 'application';
export const CLUSTER_LABEL = 'cluster-name';
const TEAM_LABEL = 'team';
/** Written by Patroni on its own pod. */
export const ROLE_LABEL = 'spilo-role';
export const POOLER_LABEL = 'connection-pooler';

/** Values of ROLE_LABEL: the words of the format and of Patroni's own configuration. */
export const PRIMARY_ROLE = 'master';
export const STANDBY_ROLE = 'replica';

/** Hash of our own pod template: what tells whether a pod is as we want it, whatever webhooks have added. */
export const TEMPLATE_HASH = 'pgherd.dev/template-hash';

/** When a drill that is under way gave its last sign of life, on the ConfigMap of what it has broken. */
export const FAULTS_RENEWED = 'pgherd.dev/renewed';

/** Value of APPLICATION_LABEL of whatever belongs to the dumps; their volume outlives the cluster in any case. */
export const DUMPS_APPLICATION = 'spilo-logical-backup';

/** What selects the database pods of a cluster, and nothing else: never to change, the StatefulSet cannot. */
export function memberSelector(cluster: string): Record<string, string> {
  return { [APPLICATION_LABEL]: 'spilo', [CLUSTER_LABEL]: cluster };
}

/** On members of a clone: whose repository host lets them in. */
export const CLONE_LABEL = 'pgherd.dev/clone-of';

export function poolerSelector(pooler: string): Record<string, string> {
  return { [POOLER_LABEL]: pooler };
}

/** What selects objects with all these labels, as lists are asked for. */
export function selectorText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Labels of every object of the cluster. */
export function clusterLabels({ spec, config }: ObjectsInput): Record<string, string> {
  return {
    ...inherited(spec.labels, config.inheritedLabels),
    ...teamLabel(spec.teamId),
    ...memberSelector(spec.name),
  };
}

export function poolerLabels(
  input: ObjectsInput,
  name: string,
  endpoint: EndpointName,
): Record<string, string> {
  return {
    ...clusterLabels(input),
    [APPLICATION_LABEL]: 'db-connection-pooler',
    [ROLE_LABEL]: endpoint === 'pooler' ? PRIMARY_ROLE : STANDBY_ROLE,
    ...poolerSelector(name),
  };
}

/** Owned by the manifest's object: deleting that deletes this. */
export function metaOf(
  input: ObjectsInput,
  name: string,
  options: { labels?: Record<string, string>; annotations?: Record<string, string>; keep?: boolean } = {},
): ObjectMeta {
  const { owner, spec, config } = input;
  const annotations = {
    ...inherited(spec.annotations, config.inheritedAnnotations),
    ...options.annotations,
  };
  return {
    name,
    namespace: owner.namespace,
    labels: options.labels ?? clusterLabels(input),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(options.keep === true ? {} : { ownerReferences: [ownerReference(owner)] }),
  };
}

function ownerReference({ name, uid }: ObjectsInput['owner']) {
  return {
    apiVersion: 'acid.zalan.do/v1',
    kind: 'postgresql',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

function teamLabel(team: string): Record<string, string> {
  return team === '' ? {} : { [TEAM_LABEL]: team };
}

export function inherited(from: Record<string, string>, keys: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
