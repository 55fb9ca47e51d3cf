import { type DumpResult, dumpCluster } from '../../backup/logical.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface DumpOutcome extends DumpResult {
  ref: ClusterRef;
}

const LOCK_WAIT_MS = 10_000;

/** Takes a logical backup now, whether the manifest has them on schedule or not. */
export async function dumpNow(
  session: Session,
  name: string,
  options: { trustPlace: boolean },
): Promise<DumpOutcome> {
  const cluster = await openCluster(session, name);
  const wish = { actor: 'backup', lockWaitMs: LOCK_WAIT_MS, ...options };
  return { ...(await dumpCluster(cluster, wish, session.context)), ref: cluster.ref };
}
