import { reinitialise } from '../../control/operations.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface ReinitOutcome {
  ref: ClusterRef;
  member: string;
  durationMs: number;
}

/** Builds a standby anew. */
export async function reinit(session: Session, name: string, member: string): Promise<ReinitOutcome> {
  const cluster = await openCluster(session, name);
  return { ...(await reinitialise(cluster, cluster.spec, { member }, session.context)), ref: cluster.ref };
}
