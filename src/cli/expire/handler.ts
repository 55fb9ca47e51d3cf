import { expire } from '../../backup/physical.ts';
import type { ClusterRef, Expired } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface ExpireOutcome {
  ref: ClusterRef;
  dryRun: boolean;
  expired: Expired[];
}

/** Deletes what retention does not keep, or says what would go. */
export async function expireNow(
  session: Session,
  name: string,
  options: { dryRun: boolean; repositories: string[] | undefined },
): Promise<ExpireOutcome> {
  const cluster = await openCluster(session, name);
  const expired = await expire(cluster, options, session.context);
  return { ref: cluster.ref, dryRun: options.dryRun, expired };
}
