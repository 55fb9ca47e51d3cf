/** Logical backups: each database by pg_dump, then what belongs to none, then what retention does not keep. */
import { performance } from 'node:perf_hooks';
import { type DumpedFile, dumpId, dumpMoment, type StoredDump } from '../core/schedule/dump.ts';
import { expired } from '../core/schedule/span.ts';
import { messageOf } from '../lib/errors.ts';
import type { ApplyContext, Dumps, PlatformCluster } from '../platform/contract.ts';

export interface DumpOptions {
  /** For the journal: `backup`, or the control plane's `keeper`. */
  actor: string;
  /** The place may be another one than that of the last dump. */
  trustPlace: boolean;
  lockWaitMs: number;
}

export interface DumpResult {
  dump: StoredDump;
  /** Dumps that retention did not keep, oldest first. */
  expired: string[];
  /** Why some of them are still there. */
  notExpired: string | undefined;
  durationMs: number;
}

/**
 * Takes a logical backup of every database. Rejects with a RefusedError before anything is written where the place
 * is not fit, with the tool's error later; what was written is taken back then, and a dump is listed only when it is
 * complete. Dumps that are too old go after that, never the newest.
 */
export async function dumpCluster(
  cluster: PlatformCluster,
  options: DumpOptions,
  context: ApplyContext,
): Promise<DumpResult> {
  const started = performance.now();
  await using _lock = await cluster.backups.lock('logical backup', {
    waitMs: options.lockWaitMs,
    signal: context.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
  const note = (event: string, message: string) =>
    cluster.journal.append({ actor: options.actor, event, subject: 'dump', message, reason: undefined });
  try {
    const dump = await takeDump(cluster, options, context);
    const databases = dump.contents.files.filter(({ holds }) => holds === 'database').length;
    await note('dump-done', `logical backup ${dump.id} of ${databases} databases in ${dump.path}`);
    const gone: string[] = [];
    const notExpired = await expireDumps(cluster, gone, context).then(() => undefined, messageOf);
    if (gone.length > 0) await note('dump-expired', `deleted by retention: ${gone.join(', ')}`);
    return { dump, expired: gone, notExpired, durationMs: performance.now() - started };
  } catch (error) {
    await note('dump-failed', `logical backup failed: ${messageOf(error)}`);
    throw error;
  }
}

async function takeDump(
  cluster: PlatformCluster,
  { trustPlace }: DumpOptions,
  context: ApplyContext,
): Promise<StoredDump> {
  const { format } = cluster.spec.backup.logical;
  const startedAt = new Date();
  await using work = await cluster.dumps.begin({ id: dumpId(startedAt), trustPlace }, context);
  const files: DumpedFile[] = [];
  for (const name of work.databases) files.push(await work.database(name, format));
  // Last, so that whoever owns something in a database that was dumped is among the roles.
  files.unshift(await work.globals());
  return await work.seal({
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    format,
    files,
  });
}

/** Which dumps the manifest does not keep any more, oldest first. Those of other clusters are not ours to delete. */
export function dumpsToExpire(
  cluster: PlatformCluster,
  dumps: readonly StoredDump[],
  now: Date,
): StoredDump[] {
  const dated = dumps
    .filter(({ own }) => own)
    .map(dump => ({ dump, at: dumpMoment(dump.id) ?? new Date(dump.contents.startedAt) }));
  return expired(dated, cluster.spec.backup.logical.retention, now).map(({ dump }) => dump);
}

/** `gone` holds what was deleted also when something went wrong. */
async function expireDumps(cluster: PlatformCluster, gone: string[], context: ApplyContext): Promise<void> {
  const dumps: Dumps = cluster.dumps;
  const place = await dumps.observe(context.signal);
  for (const { id } of dumpsToExpire(cluster, place.dumps, new Date())) {
    context.progress(`deleting ${id}`);
    await dumps.remove(id, context.signal);
    gone.push(id);
  }
}
