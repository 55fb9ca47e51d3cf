/** What the forms of `restore` share. */
import type { Wish } from '../../core/schedule/choice.ts';
import { parseTarget } from '../../core/schedule/target.ts';
import type { BackupContext, PlatformCluster } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import type { RestoreFlags } from './command.ts';

export const LOCK_WAIT_MS = 10_000;

/** The wish of the command line. Times without an offset are in the zone of the backups' schedule. */
export function wishOf(session: Session, cluster: Pick<PlatformCluster, 'spec'>, flags: RestoreFlags): Wish {
  const { timeZone } = cluster.spec.backup.schedule;
  return {
    target: parseTarget(flags.to ?? 'latest', { now: session.now(), timeZone }),
    backup: flags.backup,
    from: flags.from,
  };
}

export function progress(session: Session): BackupContext {
  const { context } = session;
  return { ...context, percent: (done: number) => context.progress(`restoring: ${Math.round(done)} %`) };
}

export async function lockBackups(cluster: PlatformCluster, session: Session): Promise<AsyncDisposable> {
  return await cluster.backups.lock('restore', {
    waitMs: LOCK_WAIT_MS,
    signal: session.signal,
    onWait: holder => session.progress.say(`waiting for ${holder}`),
  });
}
