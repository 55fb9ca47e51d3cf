import { switchover } from '../../control/operations.ts';
import type { MoveOutcome } from '../move.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

/** Moves the primary as planned. */
export async function switchoverTo(
  session: Session,
  name: string,
  options: { to?: string | undefined },
): Promise<MoveOutcome> {
  const cluster = await openCluster(session, name);
  const result = await switchover(
    cluster,
    cluster.spec,
    { ...(options.to !== undefined && { to: options.to }) },
    session.context,
  );
  return { ...result, ref: cluster.ref };
}
