import { stop } from '../../control/operations.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface DownOutcome {
  ref: ClusterRef;
  durationMs: number;
}

/** Stops the cluster. */
export async function down(session: Session, name: string): Promise<DownOutcome> {
  const cluster = await openCluster(session, name);
  await stop(cluster, session.context);
  return { ref: cluster.ref, durationMs: session.progress.elapsedMs };
}
