import { verifyBackups } from '../../backup/verify.ts';
import type { Proof } from '../../core/schedule/proof.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface VerifyOutcome {
  ref: ClusterRef;
  proofs: Proof[];
  durationMs: number;
}

const LOCK_WAIT_MS = 10_000;

/** Proves the backups that the options name. */
export async function verify(
  session: Session,
  name: string,
  options: { backup?: string; repo?: string },
): Promise<VerifyOutcome> {
  const started = session.now().getTime();
  const cluster = await openCluster(session, name);
  const { context } = session;
  await using _lock = await cluster.backups.lock('verify', {
    waitMs: LOCK_WAIT_MS,
    signal: session.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
  const percent = (done: number) => context.progress(`restoring: ${Math.round(done)} %`);
  const wish = { repository: options.repo, backup: options.backup };
  const proofs = await verifyBackups(cluster, wish, { ...context, percent });
  return { ref: cluster.ref, proofs, durationMs: session.now().getTime() - started };
}
