import type { BackupObservation } from '../../core/schedule/facts.ts';
import { type RecoverableWindow, recoverableWindows } from '../../core/schedule/window.ts';
import { backupFindings, backupNotes } from '../../core/topology/backupFindings.ts';
import type { ClusterRef, PlatformCluster } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import type { DumpsSeen } from './dumps.ts';

export interface BackupsOutcome {
  ref: ClusterRef;
  observed: BackupObservation;
  windows: RecoverableWindow[];
  troubles: string[];
  notes: string[];
  /** undefined: none are wanted, and there are none. */
  dumps: DumpsSeen | undefined;
}

/** Looks at everything that could be restored from. */
export async function lookAtBackups(session: Session, name: string): Promise<BackupsOutcome> {
  const cluster = await openCluster(session, name);
  session.progress.say('asking the repositories');
  const observed = await cluster.backups.observe({ archive: true }, session.signal);
  const dumps = await lookAtDumps(cluster, session);
  // Restores that wait have a section of their own.
  const { restores: _, ...rest } = observed;
  return {
    ref: cluster.ref,
    observed,
    windows: recoverableWindows(observed),
    troubles: [
      ...backupFindings(observed, () => '').map(({ sentence }) => sentence),
      ...(dumps?.place.problem === undefined ? [] : [`logical backups: ${dumps.place.problem}`]),
    ],
    notes: backupNotes(rest),
    dumps,
  };
}

async function lookAtDumps(cluster: PlatformCluster, session: Session): Promise<DumpsSeen | undefined> {
  const spec = cluster.spec.backup.logical;
  const place = await cluster.dumps.observe(session.signal);
  const wanted = spec.enabled || spec.directory !== undefined || place.dumps.length > 0;
  return wanted ? { spec, place } : undefined;
}
