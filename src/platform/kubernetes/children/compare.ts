import { parseMilli } from '../../../core/manifest/quantity.ts';
import type { LiveObject } from '../api/kinds.ts';
import { hashOf } from '../objects/hash.ts';

/** Hash of what we last sent of an object, in an annotation of it. */
export const DESIRED_HASH = 'pgherd.dev/desired-hash';

/** Hash of everything in a live object that others than its own controller write: it changes when somebody edits it. */
export function editsOf(object: LiveObject): string {
  const { status: _status, metadata, ...rest } = object;
  const { resourceVersion: _version, generation: _generation, ...kept } = metadata;
  return hashOf({ ...rest, metadata: kept });
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
