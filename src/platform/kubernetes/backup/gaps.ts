/**
 * What a primary that died had not archived yet. Its successor has the segments, but PostgreSQL takes what a standby
 * received for archived: the archive would have a hole for ever. They are pushed from whichever member has them.
 */
import { z } from 'zod';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { missingBefore, parseHistory, parseListing } from '../../../engine/pgbackrest/archive.ts';
import type { BackupMemory } from '../../contract.ts';
import { DATA_DIRECTORY } from '../objects/layout.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { type PodRepository, repositoriesOf } from '../objects/repositories.ts';
import { primaryOf } from '../patroni/view.ts';
import type { KubeBackupInput } from './input.ts';
import { RestoreShell } from './scratch/shell.ts';
import { runTool } from './tool.ts';

/** Name of the note. */
export const TIMELINES = 'timelines';
const LIST_MS = 60_000;
const PUSH_MS = 60_000;
const WAL = `${DATA_DIRECTORY}/pg_wal`;

/** By repository: the timeline before which nothing more is to be had. */
const document = z.record(z.string(), z.int());

/** Whether a repository has not been looked at since the primary has this timeline. `note`: what TIMELINES holds. */
export function mayHaveGaps(note: unknown, spec: ClusterSpec, timeline: number | undefined): boolean {
  const closed = document.safeParse(note).data ?? {};
  return timeline !== undefined && repositoriesOf(spec).some(({ name }) => (closed[name] ?? 0) < timeline);
}

/**
 * Resolves with what was done, in sentences. A repository that fails is left to the next call. Costs nothing unless the
 * primary's timeline is new to a repository.
 */
export async function closeGaps(
  memory: BackupMemory,
  input: KubeBackupInput,
  signal: AbortSignal,
): Promise<string[]> {
  const view = await input.look(signal);
  const primary = primaryOf(view);
  const timeline = primary?.timeline;
  if (primary?.well !== true || timeline === undefined) return [];
  const closed = document.safeParse(await memory.read(TIMELINES)).data ?? {};
  const open = repositoriesOf(input.spec).filter(({ name }) => (closed[name] ?? 0) < timeline);
  if (open.length === 0) return [];
  const members = [primary.name, ...view.members.map(({ name }) => name)];
  const done: string[] = [];
  for (const repository of open) {
    try {
      if (timeline > 1) done.push(...(await closeIn(repository, timeline, members, input, signal)));
      closed[repository.name] = timeline;
    } catch {
      signal.throwIfAborted();
    }
  }
  await memory.write(TIMELINES, closed);
  return done;
}

async function closeIn(
  repository: PodRepository,
  timeline: number,
  members: string[],
  input: KubeBackupInput,
  signal: AbortSignal,
): Promise<string[]> {
  const [primary = ''] = members;
  const { name, config } = repository;
  const run = { config, what: `archiving into ${name}`, signal };
  const shellOf = (pod: string) =>
    new RestoreShell(input.client, { namespace: input.ref.namespace, pod, container: MEMBER_CONTAINER });
  const history = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const text = await shellOf(primary).readFile(`${WAL}/${history}`, signal);
  const { parents } = parseHistory(timeline, text, undefined);
  if (parents.length === 0) return [];
  const size = await shellOf(primary).run('stat -c %s "$1"/????????????????????????', [WAL], signal);
  const segmentBytes = BigInt(size.split('\n')[0] ?? '');
  const args = ['repo-ls', '--recurse', '--output=json', '--sort=none', `archive/${input.spec.name}`];
  const { stdout } = await runTool(input, { ...run, args, pod: primary, timeoutMs: LIST_MS });
  const pushed: string[] = [];
  const lost: string[] = [];
  for (const segment of missingBefore(parseListing(stdout).segments, parents, segmentBytes)) {
    const path = `${WAL}/${segment}`;
    let holder: string | undefined;
    for (const member of new Set(members)) {
      const there = await shellOf(member)
        .try('[ -e "$1" ]', [path], signal)
        .catch(() => undefined);
      signal.throwIfAborted();
      if (there?.code === 0) holder ??= member;
    }
    if (holder === undefined) lost.push(segment);
    else {
      const push = ['archive-push', `--pg1-path=${DATA_DIRECTORY}`, '--no-archive-async', path];
      await runTool(input, { ...run, args: push, pod: holder, timeoutMs: PUSH_MS });
      pushed.push(segment);
    }
  }
  return [
    ...(pushed.length === 0
      ? []
      : [`${name}: archived what the primary before had not: ${pushed.join(', ')}`]),
    ...(lost.length === 0
      ? []
      : [`${name}: the archive lacks ${lost.join(', ')}, and no member has it any more`]),
  ];
}
