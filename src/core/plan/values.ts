/**
 * Values of parameters as the manifest, Patroni and PostgreSQL write them: 100 and "100", true and "on" are
 * the same. Units are compared as text: "1GB" against "1024MB" costs one needless patch, never a wrong one.
 */

const yes = new Set(['on', 'true', 'yes']);
const no = new Set(['off', 'false', 'no']);
const decimal = /^[+-]?\d+(\.\d+)?$/;

/** Whether two values mean the same. Lists in order, objects by their keys; null and undefined are both absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (absent(a) || absent(b)) return absent(a) && absent(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, at) => sameValue(item, b[at]))
    );
  }
  if (isRecord(a) || isRecord(b)) {
    if (!isRecord(a) || !isRecord(b)) return false;
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(key => sameValue(a[key], b[key]));
  }
  return sameScalar(String(a).trim(), String(b).trim());
}

function sameScalar(a: string, b: string): boolean {
  if (a === b) return true;
  if (decimal.test(a) && decimal.test(b)) return Number(a) === Number(b);
  const one = truth(a);
  return one !== undefined && one === truth(b);
}

function truth(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (yes.has(word) || word === '1') return true;
  if (no.has(word) || word === '0') return false;
  return undefined;
}

function absent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a person reads it in "max_connections 100 → 200". */
export function shown(value: unknown): string {
  if (absent(value)) return 'not set';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length === 1 ? '1 line' : `${value.length} lines`;
  const text = isRecord(value) ? JSON.stringify(value) : String(value);
  return text === '' ? "''" : text;
}
