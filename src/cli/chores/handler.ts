import { type Chore, doChores } from '../../backup/chores.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface ChoresOutcome {
  ref: ClusterRef;
  chores: Chore[];
}

/** Does what is due now. */
export async function chores(session: Session, name: string): Promise<ChoresOutcome> {
  const cluster = await openCluster(session, name);
  return { ref: cluster.ref, chores: await doChores(cluster, session.context) };
}
