import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { UsageError } from '../usage.ts';

export interface CleanOutcome {
  ref: ClusterRef;
  /** One sentence for each act. */
  done: string[];
}

/** Takes back every fault that is registered on a cluster. */
export async function cleanDrills(session: Session, words: readonly string[]): Promise<CleanOutcome> {
  const [name, ...more] = words;
  if (name === undefined || more.length > 0) {
    throw new UsageError('drill clean wants the name of one cluster', 'pgherd drill clean NAME');
  }
  const cluster = await openCluster(session, name);
  return { ref: cluster.ref, done: await cluster.faults.undo('all', session.context) };
}
