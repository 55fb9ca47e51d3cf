import type { ScratchRecord } from '../../../contract.ts';
import { APPLICATION_LABEL, CLUSTER_LABEL } from '../../objects/labels.ts';
import { RESTORE_APPLICATION } from '../../objects/restorePod.ts';
import type { KubeBackupInput } from '../input.ts';
import { recordOf } from './record.ts';

/** Restores by their pods, oldest first. */
export async function listScratches(
  { client, ref }: KubeBackupInput,
  signal: AbortSignal,
): Promise<ScratchRecord[]> {
  const labelSelector = `${APPLICATION_LABEL}=${RESTORE_APPLICATION},${CLUSTER_LABEL}=${ref.name}`;
  const { items } = await client.list('Pod', { namespace: ref.namespace, labelSelector }, signal);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(pod => recordOf(pod) ?? [])
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}
