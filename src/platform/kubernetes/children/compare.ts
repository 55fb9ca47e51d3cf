import { parseMilli } from '../../../core/manifest/quantity.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { hashOf } from '../objects/hash.ts';

/** Hash of what we last sent of an object, in an annotation of it. */
export const DESIRED_HASH = 'pgherd.dev/desired-hash';

/** Of objects as they were when they came: their bodies may be gone since. */
const known = new WeakMap<LiveObject, string>();

/** Hash of everything in a live object that others than its own controller write: it changes when somebody edits it. */
export function editsOf(object: LiveObject): string {
  const before = known.get(object);
  if (before !== undefined) return before;
  const { status: _status, metadata, ...rest } = object;
  const { resourceVersion: _version, generation: _generation, ...kept } = metadata;
  const hash = hashOf({ ...rest, metadata: kept });
  known.set(object, hash);
  return hash;
}

/** What of an object is compared here and read nowhere else; of most kinds it is nearly all of them. */
const COMPARED: Partial<Record<Kind, readonly string[]>> = {
  Role: ['rules'],
  RoleBinding: ['subjects', 'roleRef'],
  Service: ['spec'],
  PodDisruptionBudget: ['spec', 'status'],
  NetworkPolicy: ['spec'],
  Deployment: ['spec', 'status'],
  CronJob: ['spec'],
  ConfigMap: ['data'],
};

/** Lets go of the body of an object that was found to be right: the hash of it is all that is asked for from then on. */
export function forgetBody(kind: Kind, object: LiveObject): void {
  editsOf(object);
  for (const field of COMPARED[kind] ?? []) delete object[field];
  const { template } = (object.spec ?? {}) as { template?: unknown };
  if (kind === 'StatefulSet' && template !== undefined)
    delete (object.spec as { template?: unknown }).template;
}

/**
 * Whether every field of `wanted` stands in `live` with that value. What live has besides (defaults, fields of others)
 * does not count; an empty list or map is the same as none, and quantities are compared by their amount.
 */
export function contains(live: unknown, wanted: unknown): boolean {
  if (wanted === undefined || wanted === null) return true;
  if (Array.isArray(wanted)) {
    const list = Array.isArray(live) ? live : [];
    return list.length === wanted.length && wanted.every((item, n) => contains(list[n], item));
  }
  if (typeof wanted === 'object') {
    if (Object.keys(wanted).length === 0) return true;
    if (typeof live !== 'object' || live === null || Array.isArray(live)) return false;
    return Object.entries(wanted).every(([key, value]) =>
      contains((live as Record<string, unknown>)[key], value),
    );
  }
  return live === wanted || sameQuantity(live, wanted) || (wanted === false && live === undefined);
}

function sameQuantity(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' && typeof a !== 'number') return false;
  const [one, two] = [String(a), String(b)].map(amount);
  return one !== undefined && one === two;
}

function amount(text: string): bigint | undefined {
  return /^[0-9.]+[a-zA-Z]*$/.test(text) ? parseMilli(text) : undefined;
}
