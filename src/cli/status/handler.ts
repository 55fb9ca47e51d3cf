import { status } from '../../control/status.ts';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { backupNotes } from '../../core/topology/backupFindings.ts';
import type { Observation } from '../../core/topology/observation.ts';
import type { Verdict } from '../../core/topology/verdict.ts';
import type { ClusterRef, PlatformCluster } from '../../platform/contract.ts';
import { EXIT } from '../failure.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface StatusOutcome {
  ref: ClusterRef;
  spec: ClusterSpec;
  observed: Observation;
  verdict: Verdict;
  notes: string[];
}

/** Observes and judges the cluster of this name. */
export async function readStatus(session: Session, name: string): Promise<StatusOutcome> {
  return statusOf(await openCluster(session, name), session.signal);
}

/** Observes and judges an opened cluster. */
export async function statusOf(
  cluster: PlatformCluster,
  signal: AbortSignal,
  last?: StatusOutcome,
): Promise<StatusOutcome> {
  const { spec, observed, verdict } = await status(cluster, signal, last?.observed.backups);
  return {
    ref: cluster.ref,
    spec,
    observed,
    verdict,
    notes: notesOf(cluster, observed, verdict),
  };
}

/** The platform knows why a version differs: the bare fact beside it would be a repetition. */
function notesOf(cluster: PlatformCluster, observed: Observation, verdict: Verdict): string[] {
  return cluster.notes.length > 0 ? [...cluster.notes, ...backupNotes(observed.backups)] : verdict.notes;
}

/** 2 where something is wrong; stopped on purpose is not. */
export function exitCodeOf({ verdict }: Verdict): number {
  return verdict === 'healthy' || verdict === 'stopped' ? EXIT.done : EXIT.degraded;
}
