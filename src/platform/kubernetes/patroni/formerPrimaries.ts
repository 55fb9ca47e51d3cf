import type { LiveObject } from '../api/kinds.ts';
import { PRIMARY_ROLE, ROLE_LABEL } from '../objects/labels.ts';
import { type PatroniView, primaryOf } from './view.ts';

/**
 * Pods that still have the label of the primary although another one is: on a node that was lost, or whose Patroni
 * hangs. Patroni labels its own pod only, so their Service would send clients there until Kubernetes gives up the node,
 * for 40 seconds or more. Empty while nobody is known to be primary: then the label says more than we know.
 */
export function formerPrimaries(view: PatroniView, pods: LiveObject[]): LiveObject[] {
  const primary = primaryOf(view);
  if (primary === undefined) return [];
  // Pods of the primary's pooler have the label for ever: they are no members, and lead to whoever is primary.
  const members = new Set(view.members.map(member => member.name));
  const labelled = pods.filter(
    pod => members.has(pod.metadata.name) && pod.metadata.labels?.[ROLE_LABEL] === PRIMARY_ROLE,
  );
  // Not before the new one gets the clients: one that hears nothing is better than none.
  if (!labelled.some(pod => pod.metadata.name === primary.name)) return [];
  return labelled.filter(pod => pod.metadata.name !== primary.name);
}
