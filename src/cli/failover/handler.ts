import { failover } from '../../control/operations.ts';
import type { MoveOutcome } from '../move.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

/** Makes a member the primary without the old one's consent. */
export async function failoverTo(
  session: Session,
  name: string,
  options: { to: string; acceptLoss: boolean },
): Promise<MoveOutcome> {
  const cluster = await openCluster(session, name);
  return { ...(await failover(cluster, cluster.spec, options, session.context)), ref: cluster.ref };
}
