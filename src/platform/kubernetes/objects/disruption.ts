import type { ObjectsInput } from './input.ts';
import { memberSelector, metaOf, PRIMARY_ROLE, poolerSelector, ROLE_LABEL, STANDBY_ROLE } from './labels.ts';
import { poolerNames } from './names.ts';
import type { KubeObject } from './object.ts';
import { wantedPoolers } from './pooler.ts';

/**
 * What a drain may take away. Kubernetes evicts no pod that two budgets select, so they are told apart by role: a
 * primary stays until the operator has moved it (the drain asks again every few seconds, and then finds a standby),
 * standbys go one after the other. A single instance has no budget: nothing could ever end a drain that waits for it.
 */
export function disruptionBudgets(input: ObjectsInput): KubeObject[] {
  const { spec, config } = input;
  const { enabled, nameFormat } = config.podDisruptionBudgets;
  if (!enabled) return [];
  const members = memberSelector(spec.name);
  const poolers = poolerNames(spec.name);
  const primary = nameFormat.replaceAll('{cluster}', spec.name);
  return [
    ...(spec.instances < 2
      ? []
      : [
          budget(input, primary, { ...members, [ROLE_LABEL]: PRIMARY_ROLE }, { minAvailable: 1 }),
          // A number of pods, not of pods that may be away: that would be counted from all instances.
          budget(
            input,
            `${primary}-standby`,
            { ...members, [ROLE_LABEL]: STANDBY_ROLE },
            { minAvailable: spec.instances - 2 },
          ),
        ]),
    ...wantedPoolers(input).map(name =>
      budget(input, poolers[name], poolerSelector(poolers[name]), { maxUnavailable: 1 }),
    ),
  ];
}

function budget(
  input: ObjectsInput,
  name: string,
  matchLabels: Record<string, string>,
  bound: { minAvailable: number } | { maxUnavailable: number },
): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metaOf(input, name),
    spec: { ...bound, selector: { matchLabels } },
  };
}
