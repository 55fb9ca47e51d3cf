import { type BackupOutcome, runBackup } from '../../backup/physical.ts';
import type { BackupType } from '../../core/schedule/facts.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface BackupCommandOutcome extends BackupOutcome {
  ref: ClusterRef;
}

/** Takes a backup into each repository that was named, or all. */
export async function backup(
  session: Session,
  name: string,
  options: { type: BackupType; repositories: string[] | undefined },
): Promise<BackupCommandOutcome> {
  const cluster = await openCluster(session, name);
  return { ...(await runBackup(cluster, options, session.context)), ref: cluster.ref };
}
