import type { ObjectsInput } from './input.ts';
import type { KubeObject } from './object.ts';
import { services } from './services.ts';

export type { ObjectFacts, ObjectsInput } from './input.ts';
export type { KubeObject, Owner } from './object.ts';
export { type SecretPurpose, type SecretWanted, secretsWanted } from './secrets.ts';

/**
 * All objects of one cluster, in the order in which they are to be applied: what pods need comes before them.
 * Pure. Throws InvalidSpecError for what `judgeSpec` reports, so ask that first.
 */
export function desiredObjects(input: ObjectsInput): KubeObject[] {
  return [...services(input)];
}
