/** A restored scratch in the place of the data: of the cluster itself, or of one that is being founded. */
import { performance } from 'node:perf_hooks';
import { targetText } from '../core/schedule/target.ts';
import { RefusedError } from '../lib/errors.ts';
import type { ApplyContext, PlatformCluster, ScratchRecord, SwapResult } from '../platform/contract.ts';

/** Clients of the poolers wait for so long at most; should this process die, they go on within a second. */
const HOLD = { limitMs: 60_000, drainMs: 2_000 };
const DAY_MS = 86_400_000;

export interface CutoverOptions {
  /** undefined: the only one that waits. */
  id: string | undefined;
  /** Days for which the old data stay beside. */
  keepDays: number;
  lockWaitMs: number;
}

export interface CutoverResult extends SwapResult {
  scratch: ScratchRecord;
  /** From the first server that was stopped to the new primary. */
  durationMs: number;
  keepUntil: string;
}

/**
 * Puts a restore in the place of the cluster's data. Clients of the poolers wait meanwhile; others are cut. Finishes
 * one that was begun and killed. Standbys are left to be built by the cluster's own steps (`up`).
 */
export async function cutover(
  cluster: PlatformCluster,
  options: CutoverOptions,
  context: ApplyContext,
): Promise<CutoverResult> {
  const waiting = { waitMs: options.lockWaitMs, signal: context.signal };
  await using _lock = await cluster.lock('restore', waiting);
  await using _work = await cluster.backups.lock('cutover of a restore', waiting);
  const scratch = await chooseScratch(cluster, options.id);
  await cluster.restores.bring(scratch, context);
  const begun = performance.now();
  const keepUntil = new Date(Date.now() + options.keepDays * DAY_MS);
  await using hold = await cluster.moves.holdClients(HOLD);
  const result = await cluster.restores.swapIn(scratch, { keepUntil }, context);
  await hold.release(result.primary);
  const durationMs = performance.now() - begun;
  await note(
    cluster,
    scratch,
    `the cluster runs on the restore ${scratch.id} (${targetText(scratch.target)})`,
  );
  return { ...result, scratch, durationMs, keepUntil: keepUntil.toISOString() };
}

/** Finishes the cutover whose process was killed, if there is one. Resolves with whether there was. */
export async function finishCutover(cluster: PlatformCluster, context: ApplyContext): Promise<boolean> {
  const begun = await cluster.restores.unfinishedSwap();
  if (begun === undefined) return false;
  await cutover(cluster, { id: begun.id, keepDays: 0, lockWaitMs: 0 }, context);
  return true;
}

/**
 * Founds a cluster on a scratch: its own one, or another cluster's. The cluster was adopted with its manifest and has
 * no data yet.
 */
export async function found(
  cluster: PlatformCluster,
  scratch: ScratchRecord,
  context: ApplyContext,
): Promise<SwapResult> {
  await using _lock = await cluster.lock('restore', { waitMs: 0, signal: context.signal });
  await refuseExisting(cluster);
  await cluster.provision(context);
  await cluster.backups.provision(context.signal);
  const founding = { keepUntil: new Date(Date.now() + 7 * DAY_MS), onBegun: () => cluster.record() };
  const result = await cluster.restores.swapIn(scratch, founding, context);
  await note(cluster, scratch, `founded on backup ${scratch.backup} from ${scratch.repository}`);
  return result;
}

/** A cluster that exists is never founded anew; one whose founding was killed is. */
export async function refuseExisting(cluster: PlatformCluster): Promise<void> {
  if ((await cluster.appliedManifest()) === undefined) return;
  if ((await cluster.restores.unfinishedSwap()) !== undefined) return;
  throw new RefusedError({
    code: 'cluster-exists',
    message: `there is a cluster ${cluster.ref.namespace}/${cluster.ref.name} already: nothing was touched`,
    hint: `restore beside it (pgherd restore ${cluster.ref.name} --to TIME), or choose another name with --as`,
  });
}

async function chooseScratch(cluster: PlatformCluster, id: string | undefined): Promise<ScratchRecord> {
  const begun = await cluster.restores.unfinishedSwap();
  if (begun !== undefined && (id === undefined || id === begun.id)) return begun;
  const whole = (await cluster.restores.scratches()).filter(
    ({ purpose, reached }) => purpose === 'restore' && reached !== undefined,
  );
  const named = whole.filter(scratch => id === undefined || scratch.id === id);
  const [only, other] = named;
  if (only !== undefined && other === undefined) return only;
  throw new RefusedError({
    code: only === undefined ? 'no-such-restore' : 'which-restore',
    message:
      only === undefined
        ? 'there is no restore that waits for its cutover'
        : `${named.length} restores wait for their cutover`,
    hint:
      only === undefined
        ? `restore first: pgherd restore ${cluster.ref.name} --to TIME`
        : `name one: ${named.map(scratch => `${scratch.id} (${targetText(scratch.target)})`).join(', ')}`,
  });
}

async function note(cluster: PlatformCluster, scratch: ScratchRecord, message: string): Promise<void> {
  await cluster.journal.append({
    actor: 'restore',
    event: 'restored',
    subject: 'cluster',
    message,
    reason: `backup ${scratch.backup} from ${scratch.repository}, to ${targetText(scratch.target)}`,
  });
}
