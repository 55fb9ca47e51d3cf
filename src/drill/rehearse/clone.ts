/** A clone of the cluster, which must leave the archive of the original alone. */
import { poll } from '../../lib/time.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { type RehearsalStage, type Rehearsed, secondsSince } from './stage.ts';

const ARCHIVED_MS = 120_000;
const DESTROY_MS = 180_000;

/** It begins a timeline of its own: that number must not appear in the original's repositories. */
export async function clone({ cluster, operations, context, began }: RehearsalStage): Promise<Rehearsed> {
  const name = `${cluster.ref.name}-drill`;
  const begun = performance.now();
  const before = await timelines(cluster, context.signal);
  began(`pgherd restore ${cluster.ref.name} --as ${name}`);
  const copy = await operations.clone(name, context);
  try {
    const took = secondsSince(begun);
    const segment = await poll(async signal => await archived(copy, signal), {
      what: `${name} to archive its WAL`,
      timeoutMs: ARCHIVED_MS,
      everyMs: 500,
      signal: context.signal,
    });
    const own = Number.parseInt(segment.slice(0, 8), 16);
    const after = await timelines(cluster, context.signal);
    const foreign = [...after].filter(timeline => !before.has(timeline));
    const notes = [`${name} ran after ${took} and archived ${segment}, in repositories of its own`];
    if (before.has(own))
      notes.push(`its timeline ${own} has the number of one of the original's: compared by names only`);
    const broken = foreign.map(timeline => `timeline ${timeline} came into the repositories of the original`);
    return { notes, broken };
  } finally {
    const signal = AbortSignal.timeout(DESTROY_MS);
    await copy.destroy({ signal, progress: context.progress });
    copy[Symbol.dispose]();
  }
}

/** A segment of the clone's own timeline that came into its archive; undefined: none yet. */
async function archived(copy: PlatformCluster, signal: AbortSignal): Promise<string | undefined> {
  await using session = await copy.restores.primarySession('postgres', signal);
  await session.query('SELECT pg_switch_wal()');
  const [row] = await session.query('SELECT last_archived_wal AS segment FROM pg_stat_archiver');
  return typeof row?.segment === 'string' && /^[0-9A-F]{24}$/.test(row.segment) ? row.segment : undefined;
}

async function timelines(cluster: PlatformCluster, signal: AbortSignal): Promise<Set<number>> {
  const { repositories } = await cluster.backups.observe({ archive: true }, signal);
  return new Set(
    repositories.flatMap(({ archive }) => [
      ...(archive?.ranges ?? []).map(({ timeline }) => timeline),
      ...(archive?.timelines ?? []).map(({ timeline }) => timeline),
    ]),
  );
}
