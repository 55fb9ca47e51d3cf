import type { ClusterSpec } from '../core/manifest/spec.ts';
import type { Observation } from '../core/topology/observation.ts';
import { judge, type Verdict } from '../core/topology/verdict.ts';
import type { PlatformCluster } from '../platform/contract.ts';

export interface StatusReport {
  spec: ClusterSpec;
  observed: Observation;
  verdict: Verdict;
}

/** Looks at the cluster now. Nothing in the report is older than the call. */
export async function status(cluster: PlatformCluster, signal: AbortSignal): Promise<StatusReport> {
  const observed = await cluster.observe({ catalog: false }, signal);
  return { spec: cluster.spec, observed, verdict: judge(observed, cluster.spec, timingOf(observed)) };
}

/** Patroni's timing in force; its own defaults where it could not be asked. */
export function timingOf(observed: Observation): { ttl: number; loopWait: number } {
  return { ttl: observed.config?.ttl ?? 30, loopWait: observed.config?.loop_wait ?? 10 };
}
