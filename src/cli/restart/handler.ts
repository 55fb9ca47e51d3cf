import { restart } from '../../control/operations.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface RestartOutcome {
  ref: ClusterRef;
  restarted: string[];
  durationMs: number;
}

/** Restarts one member, or all of them in order. */
export async function restartMembers(
  session: Session,
  name: string,
  member: string | undefined,
): Promise<RestartOutcome> {
  const cluster = await openCluster(session, name);
  const result = await restart(
    cluster,
    cluster.spec,
    { ...(member !== undefined && { member }) },
    session.context,
  );
  return { ...result, ref: cluster.ref };
}
