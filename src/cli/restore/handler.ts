import { cutover } from '../../backup/cutover.ts';
import { loadFromDump } from '../../backup/load.ts';
import { restoreBeside } from '../../backup/restore.ts';
import { bringTables, checkTables, parseTable } from '../../backup/tables.ts';
import type { Wish } from '../../core/schedule/choice.ts';
import type { PlatformCluster, ScratchRecord } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { UsageError } from '../usage.ts';
import type { RestoreFlags } from './command.ts';
import { cloneCluster, refound } from './found.ts';
import type { RestoreOutcome } from './outcome.ts';
import { LOCK_WAIT_MS, lockBackups, progress, wishOf } from './parts.ts';
import { settle } from './settle.ts';

const DISCARD_MS = 120_000;

/** Does what the flags ask for. */
export async function restore(
  session: Session,
  name: string | undefined,
  flags: RestoreFlags,
): Promise<RestoreOutcome> {
  refuseNonsense(name, flags);
  const started = session.now().getTime();
  const done = <T>(outcome: T) => ({ ...outcome, durationMs: session.now().getTime() - started });
  if (flags.manifest !== undefined) return done(await refound(session, flags.manifest, flags));
  const cluster = await openCluster(session, name ?? '');
  const { ref } = cluster;
  if (flags.list === true) return done({ action: 'listed' as const, ref, waiting: await waitingOf(cluster) });
  if (flags.discard !== undefined) {
    await using _lock = await lockBackups(cluster, session);
    await cluster.restores.discard(flags.discard, session.signal);
    return done({ action: 'discarded' as const, ref, id: flags.discard });
  }
  if (flags.cutover !== undefined) {
    const id = flags.cutover === true ? undefined : flags.cutover;
    const options = { id, keepDays: flags.keep, lockWaitMs: LOCK_WAIT_MS };
    const result = await cutover(cluster, options, session.context);
    if (!result.othersFollow) await settle(session, cluster);
    return done({ action: 'cutover' as const, ref, result });
  }
  if (flags.dump !== undefined) {
    await using _lock = await lockBackups(cluster, session);
    const id = flags.dump === true ? undefined : flags.dump;
    const chosen = { id, databases: flags.database ?? [], into: flags.into };
    const loaded = await loadFromDump(cluster, chosen, session.context);
    return done({ action: 'loaded' as const, ref, loaded });
  }
  const wish = wishOf(session, cluster, flags);
  if (flags.as !== undefined) return done(await cloneCluster(session, cluster, flags.as, wish));
  await using _lock = await lockBackups(cluster, session);
  await cluster.restores.sweep(session.now());
  if (flags.table !== undefined) return done(await tables(session, cluster, wish, flags));
  const restored = await restoreBeside(cluster, { ...wish, purpose: 'restore' }, progress(session));
  return done({ action: 'restored' as const, ref, restored });
}

async function tables(session: Session, cluster: PlatformCluster, wish: Wish, flags: RestoreFlags) {
  const names = (flags.table ?? []).map(parseTable);
  await checkTables(cluster, names, flags.into, session.signal);
  const restored = await restoreBeside(cluster, { ...wish, purpose: 'table' }, progress(session));
  try {
    const brought = await bringTables(cluster, restored.scratch, names, flags.into, session.context);
    return { action: 'tables' as const, ref: cluster.ref, restored, tables: brought };
  } finally {
    await cluster.restores.discard(restored.scratch.id, AbortSignal.timeout(DISCARD_MS));
  }
}

async function waitingOf(cluster: PlatformCluster): Promise<ScratchRecord[]> {
  return (await cluster.restores.scratches()).filter(
    ({ purpose, reached }) => purpose === 'restore' && reached !== undefined,
  );
}

function refuseNonsense(name: string | undefined, flags: RestoreFlags): void {
  if ((name === undefined) === (flags.manifest === undefined)) {
    throw new UsageError(
      name === undefined ? 'name the cluster' : 'a name and --manifest exclude each other',
      'pgherd restore NAME --to TIME, or pgherd restore --manifest FILE',
    );
  }
  const modes = ['cutover', 'as', 'table', 'dump', 'discard', 'list', 'manifest'] as const;
  const [first, second] = modes.filter(mode => flags[mode] !== undefined);
  if (second !== undefined)
    throw new UsageError(`--${first} and --${second} exclude each other`, 'one at a time');
  if (flags.into !== undefined && flags.table === undefined && flags.dump === undefined)
    throw new UsageError('--into goes with --table or --dump', 'add one of them, or leave out --into');
  const pairs = [
    ['database', 'dump'],
    ['key', 'manifest'],
  ] as const;
  for (const [flag, needed] of pairs) {
    if (flags[flag] !== undefined && flags[needed] === undefined) {
      throw new UsageError(`--${flag} goes with --${needed}`, `add --${needed}, or leave out --${flag}`);
    }
  }
}
