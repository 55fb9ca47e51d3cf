import type { DynamicConfig } from '../topology/observation.ts';
import { isRecord, sameValue, shown } from './values.ts';

export interface ConfigChange {
  /** As a person knows it: "max_connections", "ttl", "slot reporting". */
  name: string;
  /** It is a PostgreSQL parameter. */
  parameter: boolean;
  from: unknown;
  to: unknown;
}

export interface ConfigDiff {
  patch: DynamicConfig;
  /** Empty: nothing to patch. */
  changes: ConfigChange[];
}

/** Below these keys everything is pgherd's: what is there and not desired is deleted. */
const ownedWhole = new Set(['postgresql.parameters', 'slots']);

/**
 * The merge patch from Patroni's dynamic configuration to the desired one. Only keys that `desired` names are
 * touched, except below `postgresql.parameters` and `slots`: there, what is no longer desired is set to null.
 * A desired null means that the key should not exist.
 */
export function diffConfig(observed: DynamicConfig, desired: DynamicConfig): ConfigDiff {
  const changes: ConfigChange[] = [];
  const patch = diffRecord(observed, desired, '', changes);
  return { patch, changes };
}

function diffRecord(
  observed: Record<string, unknown>,
  desired: Record<string, unknown>,
  path: string,
  changes: ConfigChange[],
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const [key, to] of Object.entries(desired)) {
    if (to === undefined) continue;
    const here = path === '' ? key : `${path}.${key}`;
    const from = observed[key];
    if (isRecord(to) && !ownedWhole.has(path)) {
      const inner = diffRecord(isRecord(from) ? from : {}, to, here, changes);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!sameValue(from, to)) {
      patch[key] = isRecord(to) && isRecord(from) ? { ...emptied(from), ...to } : to;
      changes.push(changeOf(path, key, from, to));
    }
  }
  if (ownedWhole.has(path)) {
    for (const [key, from] of Object.entries(observed)) {
      if (key in desired || from === null || from === undefined) continue;
      patch[key] = null;
      changes.push(changeOf(path, key, from, undefined));
    }
  }
  return patch;
}

/** A merge leaves what it does not name: to replace a whole record, every old key has to be deleted by name. */
function emptied(record: Record<string, unknown>): Record<string, null> {
  return Object.fromEntries(Object.keys(record).map(key => [key, null]));
}

function changeOf(path: string, key: string, from: unknown, to: unknown): ConfigChange {
  const name =
    path === 'slots' ? `slot ${key}` : path === '' || path.startsWith('postgresql') ? key : `${path}.${key}`;
  return { name, parameter: path === 'postgresql.parameters', from, to };
}

/** "max_connections 100 → 200, slot reporting removed" */
export function describeChanges(changes: ConfigChange[]): string {
  return changes
    .map(({ name, from, to }) => {
      if (Array.isArray(to) && Array.isArray(from) && to.length === from.length)
        return `${name} (${shown(to)})`;
      if (to === undefined || to === null) return `${name} ${shown(from)} → default`;
      return `${name} ${shown(from)} → ${shown(to)}`;
    })
    .join(', ');
}
