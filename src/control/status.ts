import type { ClusterSpec } from '../core/manifest/spec.ts';
import type { BackupObservation } from '../core/schedule/facts.ts';
import type { Observation } from '../core/topology/observation.ts';
import { judge, type Verdict } from '../core/topology/verdict.ts';
import type { PlatformCluster } from '../platform/contract.ts';

export interface StatusReport {
  spec: ClusterSpec;
  observed: Observation;
  verdict: Verdict;
}

/** Who looks every second need not ask every repository each time. */
const BACKUPS_KEPT_MS = 10_000;

/**
 * Looks at the cluster now. Nothing in the report is older than the call, but for the backups `before`, which are
 * taken as they are for some seconds.
 */
export async function status(
  cluster: PlatformCluster,
  signal: AbortSignal,
  before?: BackupObservation,
): Promise<StatusReport> {
  const fresh = before !== undefined && Date.now() - Date.parse(before.observedAt) < BACKUPS_KEPT_MS;
  const [seen, backups] = await Promise.all([
    cluster.observe({ catalog: false }, signal),
    fresh ? before : lookAtBackups(cluster, signal),
  ]);
  const observed = seen.exists && !seen.stopped ? { ...seen, backups } : seen;
  return { spec: cluster.spec, observed, verdict: judge(observed, cluster.spec, timingOf(observed)) };
}

/** What cannot be seen of the backups must not hide the cluster. */
async function lookAtBackups(
  cluster: PlatformCluster,
  signal: AbortSignal,
): Promise<BackupObservation | undefined> {
  try {
    return await cluster.backups.observe({ archive: false }, signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Patroni's timing in force; its own defaults where it could not be asked. */
export function timingOf(observed: Observation): { ttl: number; loopWait: number } {
  return { ttl: observed.config?.ttl ?? 30, loopWait: observed.config?.loop_wait ?? 10 };
}
