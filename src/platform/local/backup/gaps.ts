/**
 * What a primary that died had not archived yet. Its successor has the segments, but PostgreSQL takes what a standby
 * received for archived: the archive would have a hole for ever, and nothing behind it could be restored. They are
 * pushed from whichever member has them.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { missingBefore, parseHistory, parseListing } from '../../../engine/pgbackrest/archive.ts';
import { readIfExists } from '../../../lib/files.ts';
import type { BackupMemory } from '../../contract.ts';
import type { LocalBackupInput } from './input.ts';
import { backupPaths } from './paths.ts';
import type { Repository } from './repositories.ts';
import { runTool } from './tool.ts';

const MEMORY = 'timelines';
const LIST_MS = 30_000;
const PUSH_MS = 30_000;
const USUAL_BYTES = 16n * 1024n * 1024n;

/** A repository that is away is asked again this much later. */
const AGAIN_MS = 60_000;

/** By repository: the timeline before which nothing more is to be had, and when that was last tried. */
const document = z.record(z.string(), z.object({ closed: z.int(), triedAt: z.number() }));

/**
 * Resolves with what was done, in sentences. Never rejects but when aborted; costs nothing unless the primary's
 * timeline is new to a repository.
 */
export async function closeGaps(
  members: MemberObservation[],
  repositories: Repository[],
  memory: BackupMemory,
  input: LocalBackupInput,
  signal: AbortSignal,
): Promise<string[]> {
  const [primary, other] = members.filter(({ role }) => role === 'primary');
  const timeline = primary?.timeline;
  if (primary === undefined || other !== undefined || timeline === undefined) return [];
  const parsed = document.safeParse(await memory.read(MEMORY));
  const known = parsed.success ? parsed.data : {};
  const now = Date.now();
  const open = repositories.filter(({ name }) => {
    const { closed = 0, triedAt = 0 } = known[name] ?? {};
    return closed < timeline && now - triedAt > AGAIN_MS;
  });
  if (open.length === 0) return [];
  const done: string[] = [];
  for (const repository of open) {
    const before = known[repository.name]?.closed ?? 0;
    try {
      const names = [primary.name, ...members.map(({ name }) => name)];
      if (timeline > 1) done.push(...(await closeIn(repository, timeline, names, input, signal)));
      known[repository.name] = { closed: timeline, triedAt: now };
    } catch {
      signal.throwIfAborted();
      // That it fails is told by what observes it.
      known[repository.name] = { closed: before, triedAt: now };
    }
  }
  await memory.write(MEMORY, known);
  return done;
}

async function closeIn(
  repository: Repository,
  timeline: number,
  members: string[],
  input: LocalBackupInput,
  signal: AbortSignal,
): Promise<string[]> {
  const [primary = ''] = members;
  const wal = (member: string) => join(input.paths.data, member, 'pgdata', 'pg_wal');
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const text = await readIfExists(join(wal(primary), name));
  const { parents } = parseHistory(timeline, text ?? '', undefined);
  if (parents.length === 0) return [];
  const pushed: string[] = [];
  const lost: string[] = [];
  for (const segment of await missingIn(repository, parents, wal(primary), input, signal)) {
    const holder = await holderOf(segment, members, wal);
    if (holder === undefined) lost.push(segment);
    else {
      await push(
        repository,
        join(wal(holder), segment),
        join(input.paths.data, holder, 'pgdata'),
        input,
        signal,
      );
      pushed.push(segment);
    }
  }
  const of = `${repository.name}: `;
  return [
    ...(pushed.length === 0 ? [] : [`${of}archived what the primary before had not: ${pushed.join(', ')}`]),
    ...(lost.length === 0
      ? []
      : [`${of}the archive lacks ${lost.join(', ')}, and no member has it any more`]),
  ];
}

/** Segments before the end of the parent's timeline that the repository should have and has not. */
async function missingIn(
  repository: Repository,
  parents: { timeline: number; endLsn: string }[],
  wal: string,
  { record, paths, spec }: LocalBackupInput,
  signal: AbortSignal,
): Promise<string[]> {
  const { stdout } = await runTool(record(), {
    args: ['repo-ls', '--recurse', '--output=json', '--sort=none', `archive/${spec.name}`],
    config: backupPaths(paths).confOf(repository.name),
    stanza: spec.name,
    what: `looking at ${repository.name}`,
    signal,
    timeoutMs: LIST_MS,
    maxOutputBytes: 96 * 1024 * 1024,
  });
  return missingBefore(parseListing(stdout).segments, parents, await segmentBytesIn(wal));
}

async function holderOf(
  segment: string,
  members: string[],
  wal: (member: string) => string,
): Promise<string | undefined> {
  for (const member of new Set(members)) {
    if ((await stat(join(wal(member), segment)).catch(() => undefined)) !== undefined) return member;
  }
  return undefined;
}

/** All segments of a cluster have one size. */
async function segmentBytesIn(wal: string): Promise<bigint> {
  const name = (await readdir(wal)).find(candidate => /^[0-9A-F]{24}$/.test(candidate));
  return name === undefined ? USUAL_BYTES : BigInt((await stat(join(wal, name))).size);
}

async function push(
  repository: Repository,
  path: string,
  dataDirectory: string,
  { record, paths, spec }: LocalBackupInput,
  signal: AbortSignal,
): Promise<void> {
  await runTool(record(), {
    args: ['archive-push', `--pg1-path=${dataDirectory}`, '--no-archive-async', path],
    config: backupPaths(paths).confOf(repository.name),
    stanza: spec.name,
    what: `archiving ${path.slice(path.lastIndexOf('/') + 1)}`,
    signal,
    timeoutMs: PUSH_MS,
  });
}
