/** Where the poolers find their servers. Patroni's callback rewrites the primary's target on a role change. */
import { dirname } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../lib/files.ts';
import type { Machine } from './apply.ts';
import { poolerTargetFile, primaryTarget, standbyTarget } from './frontServices.ts';
import { memberAddress } from './layout.ts';

/** First targets for poolers that have none. */
export async function ensureTargets(machine: Machine, spec: ClusterSpec): Promise<void> {
  const { record, paths } = machine;
  if (spec.pooler.standby) await write(machine, 'poolerStandby', standbyTarget(spec, record));
  if (spec.pooler.primary && (await readIfExists(poolerTargetFile(paths, 'pooler'))) === undefined) {
    // A guess until the first role change corrects it.
    await write(machine, 'pooler', primaryTarget(spec, record, memberAddress(record, 0)));
  }
}

/** Makes the poolers' target file name this primary. False when it does already. */
export async function retarget(
  machine: Pick<Machine, 'record' | 'paths'>,
  spec: ClusterSpec,
  address: string,
): Promise<boolean> {
  const wanted = primaryTarget(spec, machine.record, address);
  if ((await readIfExists(poolerTargetFile(machine.paths, 'pooler'))) === wanted) return false;
  await write(machine, 'pooler', wanted);
  return true;
}

async function write(
  { record, paths }: Pick<Machine, 'record' | 'paths'>,
  kind: 'pooler' | 'poolerStandby',
  text: string,
): Promise<void> {
  const path = poolerTargetFile(paths, kind);
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  await ensureDirectory(dirname(path), { mode: 0o700, owner });
  // In a failover clients wait for it.
  await writeAtomically(path, text, { mode: 0o600, owner, durable: false });
}
