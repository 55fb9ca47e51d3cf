import { applyManifest, type UpResult } from '../../control/up.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import type { Session } from '../session.ts';

const SETTLE_MS = 3_600_000;
const LOCK_WAIT_MS = 10_000;

/** Brings a cluster whose primary runs on restored data to what its manifest asks for: standbys, roles, poolers. */
export async function settle(session: Session, cluster: PlatformCluster): Promise<UpResult> {
  const manifest = (await cluster.appliedManifest()) ?? '';
  const placement = { listen: undefined, port: undefined, strictVersion: false };
  const result = await applyManifest(await session.platform(), cluster.spec, manifest, placement, {
    ...session.context,
    lockWaitMs: LOCK_WAIT_MS,
    timeoutMs: SETTLE_MS,
    dryRun: false,
    onStep: (step, state, milliseconds) => session.progress.step(step.summary, state, milliseconds),
  });
  session.scope.use(result.cluster);
  return result;
}
