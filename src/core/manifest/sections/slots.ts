import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import { closest } from '../suggest.ts';

const keys = new Set(['type', 'database', 'plugin', 'cluster_type']);

/** Permanent replication slots, as Patroni takes them. */
export function checkSlots(
  slots: Record<string, Record<string, string>>,
  cluster: string,
  path: Path,
  findings: Findings,
): void {
  const memberSlot = `${cluster.replaceAll('-', '_')}_`;
  for (const [name, slot] of Object.entries(slots)) {
    const at = [...path, name];
    if (!/^[a-z0-9_]{1,63}$/.test(name)) {
      findings.error(
        at,
        {
          code: 'wrong-name',
          message: `${JSON.stringify(name)} cannot be the name of a replication slot`,
          hint: 'use at most 63 lower-case letters, digits and `_`',
        },
        'key',
      );
    } else if (name.startsWith(memberSlot) && /^\d+$/.test(name.slice(memberSlot.length))) {
      findings.error(
        at,
        {
          code: 'protected-name',
          message: `the slot ${name} is the one of a member of this cluster`,
          hint: 'choose another name: Patroni makes and drops the slots of members',
        },
        'key',
      );
    }
    checkSlot(name, slot, at, findings);
  }
}

function checkSlot(name: string, slot: Record<string, string>, at: Path, findings: Findings): void {
  for (const key of Object.keys(slot)) {
    if (keys.has(key)) continue;
    const near = closest(key, keys);
    findings.error(
      [...at, key],
      {
        code: 'unknown-field',
        message: `a replication slot has no ${JSON.stringify(key)}`,
        hint: near === undefined ? `known are ${[...keys].join(', ')}` : `did you mean \`${near}\`?`,
      },
      'key',
    );
  }
  // Patroni makes a physical slot of one that lacks either: whoever names one of them meant a logical one.
  const logical = slot.database !== undefined || slot.plugin !== undefined;
  const type = slot.type ?? (logical ? 'logical' : 'physical');
  if (type !== 'logical' && type !== 'physical') {
    findings.error([...at, 'type'], {
      code: 'unknown-value',
      message: `${JSON.stringify(type)} is no type of a replication slot`,
      hint: 'write logical or physical',
    });
  }
  if (type !== 'logical') return;
  for (const key of ['database', 'plugin'] as const) {
    if ((slot[key] ?? '') !== '') continue;
    findings.error([...at, key], {
      code: 'missing-field',
      message: `the logical slot ${name} names no ${key}`,
      hint: key === 'plugin' ? 'add `plugin: pgoutput`' : 'add `database: <the database to decode>`',
    });
  }
}
