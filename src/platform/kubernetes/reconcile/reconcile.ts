import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { Outcome } from '../queue/workQueue.ts';
import { whyStandBack } from './claim.ts';
import type { Reconciler } from './context.ts';
import { AGAIN, Pass } from './pass.ts';

/**
 * One look at one cluster, and the next step towards what its manifest asks for. Everything is computed from what is
 * observed now; a run that is cut off anywhere is finished by the next one.
 */
export async function reconcile(reconciler: Reconciler, key: string, signal: AbortSignal): Promise<Outcome> {
  const cluster = reconciler.watched.cluster(key);
  if (cluster === undefined) {
    reconciler.memory.delete(key);
    return { kind: 'done', againMs: undefined };
  }
  const { watched } = reconciler;
  const namespace = cluster.metadata.namespace ?? 'default';
  // What we know may be old: nothing is decided by it.
  const forbidden = watched.forbiddenIn(namespace);
  if (!watched.connectedIn(namespace) && forbidden === undefined)
    return { kind: 'done', againMs: AGAIN.leaderMs };
  if (!isOurs(cluster, reconciler)) return { kind: 'done', againMs: undefined };
  const pass = new Pass(reconciler, cluster, key, signal);
  try {
    const why = await whyStandBack(cluster, reconciler, signal);
    if (why !== undefined) {
      const message = `this operator stands back: ${why}`;
      await reconciler.record(cluster, { type: 'Warning', reason: 'StandsBack', message }, signal);
      return { kind: 'done', againMs: AGAIN.waitingMs };
    }
    if (forbidden !== undefined) {
      await pass.blind(forbidden);
      return { kind: 'done', againMs: AGAIN.waitingMs };
    }
    return cluster.metadata.deletionTimestamp === undefined ? await pass.run() : await pass.end();
  } catch (error) {
    signal.throwIfAborted();
    // Somebody was faster; what is watched will say what there is now.
    if (error instanceof ApiConflictError) return { kind: 'done', againMs: AGAIN.changedMs };
    await pass.fail(error);
    throw error;
  }
}

function isOurs(cluster: LiveObject, { config }: Reconciler): boolean {
  return cluster.metadata.annotations?.['acid.zalan.do/controller'] === config.controllerId;
}
