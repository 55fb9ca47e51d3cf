/**
 * Who wants pods to be made anew: people, by the manifest or by a Secret, or the operator alone, because it or its
 * configuration is newer. What people want is done at once, the rest waits for the manifest's maintenance windows.
 */
import { hashOf } from './hash.ts';
import type { ObjectsInput } from './input.ts';
import { inherited, TEMPLATE_HASH } from './labels.ts';
import { memberConfigName } from './names.ts';
import type { KubeObject } from './object.ts';

/** Hash of all that people have said about the pods of a StatefulSet or Deployment, on that object. */
export const WISH_HASH = 'pgherd.dev/wish-hash';

/** What people say about the members: changes of other fields of the manifest ask for no new pod. */
export function memberWish(input: ObjectsInput): string {
  const { spec, facts } = input;
  const { services: _, secretRotation: _rotation, secretNamespaces: _namespaces, ...pods } = spec.kubernetes;
  const { version, resources, backup, patroni } = spec;
  const { systemSecretsHash, restartedAt } = facts;
  return hashOf({
    ...{ marks: marksOf(input), version, resources, pods, backup, initdb: patroni.initdb },
    ...{ systemSecretsHash, restartedAt },
  });
}

/** What they say about poolers, whose configuration follows databases and connections. */
export function poolerWish(input: ObjectsInput): string {
  const { spec, facts } = input;
  const { kubernetes, pooler, parameters, databases, preparedDatabases } = spec;
  const { podAnnotations, tolerations, nodeAffinity, priorityClassName, schedulerName, poolerImage, tls } =
    kubernetes;
  const pods = {
    ...{ podAnnotations, tolerations, nodeAffinity, priorityClassName, schedulerName },
    ...{ poolerImage, tls },
  };
  const counted = [databases.length, preparedDatabases.length];
  return hashOf({
    marks: marksOf(input),
    pods,
    pooler,
    parameters,
    counted,
    of: facts.poolerSecretsHash,
  });
}

/** Labels and annotations of the manifest that its pods have: it carries others, some of them ours. */
function marksOf({ spec, config }: ObjectsInput): object {
  return [
    spec.teamId,
    inherited(spec.labels, config.inheritedLabels),
    inherited(spec.annotations, config.inheritedAnnotations),
  ];
}

/** Whether pods would be replaced by this that nobody asked for. What an older operator made counts so too. */
function unasked(wanted: KubeObject, live: Annotated | undefined): boolean {
  if (live === undefined) return false;
  const before = live.metadata.annotations ?? {};
  const after = wanted.metadata.annotations ?? {};
  if (after[TEMPLATE_HASH] === before[TEMPLATE_HASH]) return false;
  return before[WISH_HASH] === undefined || before[WISH_HASH] === after[WISH_HASH];
}

interface Annotated {
  metadata: { annotations?: Record<string, string> };
}

/**
 * The objects that have to wait for a maintenance window (kind/name): StatefulSet and Deployments, each with the
 * configuration that its pods read. Their pods go on being made from the templates of before.
 */
export function heldBack(
  objects: KubeObject[],
  live: (kind: 'StatefulSet' | 'Deployment', name: string) => Annotated | undefined,
): Set<string> {
  const held = new Set<string>();
  for (const object of objects) {
    const { kind, metadata } = object;
    if (kind !== 'StatefulSet' && kind !== 'Deployment') continue;
    if (!unasked(object, live(kind, metadata.name))) continue;
    held.add(`${kind}/${metadata.name}`);
    held.add(`ConfigMap/${kind === 'StatefulSet' ? memberConfigName(metadata.name) : metadata.name}`);
  }
  return held;
}
