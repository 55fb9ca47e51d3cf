import type { BackupObservation } from '../../core/schedule/facts.ts';
import { type RecoverableWindow, recoverableWindows } from '../../core/schedule/window.ts';
import { backupFindings, backupNotes } from '../../core/topology/backupFindings.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface BackupsOutcome {
  ref: ClusterRef;
  observed: BackupObservation;
  windows: RecoverableWindow[];
  troubles: string[];
  notes: string[];
}

/** Looks at everything that could be restored from. */
export async function lookAtBackups(session: Session, name: string): Promise<BackupsOutcome> {
  const cluster = await openCluster(session, name);
  session.progress.say('asking the repositories');
  const observed = await cluster.backups.observe({ archive: true }, session.signal);
  return {
    ref: cluster.ref,
    observed,
    windows: recoverableWindows(observed),
    troubles: backupFindings(observed, () => '').map(({ sentence }) => sentence),
    notes: backupNotes(observed),
  };
}
