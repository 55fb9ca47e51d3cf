/** A repository that takes no WAL: that it is noticed, and that nothing is missing afterwards. */
import type { BackupObservation, RepositoryFacts } from '../../core/schedule/facts.ts';
import { poll } from '../../lib/time.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { type RehearsalStage, type Rehearsed, secondsSince } from './stage.ts';

const NOTICE_MS = 60_000;
const OTHERS_MS = 60_000;
/** PostgreSQL's archiver tries once a minute where it failed before, and pgBackRest waits 30 s for its own. */
const CATCH_UP_MS = 180_000;
const LOOK_EVERY_MS = 500;

/** `status` and `backups` tell within a minute; the other repositories get the segment all the same. */
export async function notice({ cluster, repository, context }: RehearsalStage): Promise<Rehearsed> {
  const begun = performance.now();
  const segment = await nextSegment(cluster, context.signal);
  context.progress(`waiting until it is noticed that ${repository} takes nothing`);
  const seen = await poll(async signal => failing(await look(cluster, false, signal), repository), {
    what: `the failure of ${repository} to be noticed`,
    timeoutMs: NOTICE_MS,
    everyMs: LOOK_EVERY_MS,
    signal: context.signal,
  });
  const notes = [`noticed after ${secondsSince(begun)}: ${seen}`];
  const others = cluster.backups.repositories.filter(name => name !== repository);
  if (others.length === 0) return { notes, broken: [] };
  const late = await poll(
    async signal => {
      const { repositories } = await look(cluster, true, signal);
      const without = repositories.filter(({ name }) => others.includes(name)).filter(lacks([segment]));
      return without.length === 0 ? [] : undefined;
    },
    { what: 'the other repositories', timeoutMs: OTHERS_MS, everyMs: LOOK_EVERY_MS, signal: context.signal },
  ).catch(() => others);
  context.signal.throwIfAborted();
  const broken = late.length === 0 ? [] : [`segment ${segment} did not come into each of ${late.join(', ')}`];
  return {
    notes: [...notes, ...(late.length === 0 ? [`${others.join(', ')} got it meanwhile`] : [])],
    broken,
  };
}

/** What was written while it failed, and what is written now, is in every repository without a gap. */
export async function catchUp({ cluster, context }: RehearsalStage): Promise<Rehearsed> {
  const begun = performance.now();
  const before = await waitingSegments(cluster, context.signal);
  const segment = await nextSegment(cluster, context.signal);
  context.progress('waiting for all WAL to arrive');
  const wanted = [...before, segment];
  try {
    await poll(
      async signal => {
        const { repositories, archiver } = await look(cluster, true, signal);
        const isCalm =
          archiver?.failingSince === undefined && repositories.every(({ state }) => state === 'ready');
        return isCalm && !repositories.some(lacks(wanted)) ? true : undefined;
      },
      { what: 'all WAL', timeoutMs: CATCH_UP_MS, everyMs: LOOK_EVERY_MS, signal: context.signal },
    );
  } catch {
    context.signal.throwIfAborted();
    const { repositories, archiver } = await look(cluster, true, context.signal);
    const without = repositories.filter(lacks(wanted)).map(({ name }) => name);
    const why = archiver?.failure ?? repositories.map(({ name, state }) => `${name} ${state}`).join(', ');
    const sentence =
      without.length === 0
        ? `the archive is not well again: ${why}`
        : `WAL is missing in ${without.join(', ')}: ${why}`;
    return { notes: [], broken: [sentence] };
  }
  return {
    notes: [`${wanted.length} segments were everywhere ${secondsSince(begun)} later, without a gap`],
    broken: [],
  };
}

async function look(
  cluster: PlatformCluster,
  archive: boolean,
  signal: AbortSignal,
): Promise<BackupObservation> {
  return await cluster.backups.observe({ archive }, signal);
}

/** What is told of it; undefined: nothing yet. */
function failing({ archiver, repositories }: BackupObservation, name: string): string | undefined {
  const state = repositories.find(repository => repository.name === name)?.state;
  if (archiver?.failingSince === undefined || state === 'ready') return undefined;
  return `${name} is ${state}; ${archiver.failure}; ${archiver.waiting} segments wait`;
}

/** Not all of them are in one stretch without a gap. */
function lacks(segments: string[]): (repository: RepositoryFacts) => boolean {
  return ({ archive }) =>
    archive?.ranges.some(({ first, last }) => segments.every(one => first <= one && one <= last)) !== true;
}

/** Ends the segment under way, and has the archiver try at once: it sleeps for up to a minute after failures. */
async function nextSegment(cluster: PlatformCluster, signal: AbortSignal): Promise<string> {
  await using session = await cluster.restores.primarySession('postgres', signal);
  const [row] = await session.query('SELECT pg_walfile_name(pg_switch_wal()) AS segment, pg_reload_conf()');
  return String(row?.segment);
}

/** What PostgreSQL keeps because it was not archived. */
async function waitingSegments(cluster: PlatformCluster, signal: AbortSignal): Promise<string[]> {
  await using session = await cluster.restores.primarySession('postgres', signal);
  const rows = await session.query(
    `SELECT substr(name, 1, 24) AS segment FROM pg_ls_archive_statusdir()
     WHERE name ~ '^[0-9A-F]{24}\\.ready$' ORDER BY name`,
  );
  return rows.map(({ segment }) => String(segment));
}
