import type { ObjectName } from '../api/client.ts';
import { ApiForbiddenError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { type LeaseSighting, mayTake, sight } from '../lease/judge.ts';
import { leaseRecordOf } from '../lease/leadership.ts';
import type { Reconciler } from './context.ts';

/** Lease (namespace/name) of the operator that runs this cluster: whoever holds that Lease acts on it. */
export const OPERATOR_ANNOTATION = 'pgherd.dev/operator';

/** The Lease that the annotation names; undefined: no operator has written that. */
export function leaseNamed(owner: string): (ObjectName & { kind: 'Lease' }) | undefined {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(owner) ?? [];
  return namespace === undefined || name === undefined ? undefined : { kind: 'Lease', namespace, name };
}

/**
 * Whose a cluster is, when several operators see it (two installations, or one run by hand): of the one that came
 * first, as long as its Lease is renewed. Resolves with why we stand back; undefined: it is ours, or free.
 */
export async function whyStandBack(
  cluster: LiveObject,
  { client, operatorId, sightings }: Reconciler,
  signal: AbortSignal,
): Promise<string | undefined> {
  const owner = cluster.metadata.annotations?.[OPERATOR_ANNOTATION];
  if (owner === undefined || owner === operatorId) return undefined;
  const ref = leaseNamed(owner);
  if (ref === undefined) return undefined;
  try {
    const lease = await client.get(ref, signal);
    const sighting: LeaseSighting = sight(sightings.get(owner), leaseRecordOf(lease), performance.now());
    sightings.set(owner, sighting);
    if (mayTake(sighting, operatorId, performance.now())) return undefined;
    return `the operator with Lease ${owner} runs it`;
  } catch (error) {
    if (error instanceof ApiForbiddenError)
      return `the operator with Lease ${owner} may run it: ${error.message}`;
    throw error;
  }
}
