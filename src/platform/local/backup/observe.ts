/** What the repositories hold, as pgBackRest tells. Each is asked by itself: one that hangs hides no other. */
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { RepositoryFacts } from '../../../core/schedule/facts.ts';
import { parseInfo } from '../../../engine/pgbackrest/info.ts';
import { type Ask, readArchive } from '../../../engine/pgbackrest/readArchive.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { backupPaths } from './paths.ts';
import { placeState } from './places.ts';
import type { Repository } from './repositories.ts';
import { runTool } from './tool.ts';

const INFO_MS = 30_000;
/** Who only asks how things are waits for no storage that is away. */
const GLANCE_MS = 6000;
/** A segment's line has about 150 bytes: half a million of them. */
const LISTING_BYTES = 96 * 1024 * 1024;

export interface ObserveInput {
  spec: ClusterSpec;
  record: ClusterRecord;
  paths: Paths;
  /** Where each repository's place was mounted when it was made. */
  mounts: Record<string, string>;
  encrypted: boolean;
  segmentBytes: number;
}

/** Never rejects but when aborted: what is wrong with a repository is a fact of it. */
export async function observeRepository(
  repository: Repository,
  options: { archive: boolean },
  input: ObserveInput,
  signal: AbortSignal,
): Promise<RepositoryFacts> {
  const { record, encrypted, mounts } = input;
  const place = await placeState(repository, record, mounts[repository.name], signal);
  const common = {
    name: repository.name,
    kind: repository.spec.kind,
    where: repository.where,
    freeBytes: place.freeBytes,
    encrypted,
  };
  const bad = (state: RepositoryFacts['state'], problem: string): RepositoryFacts => ({
    ...common,
    state,
    problem,
    backups: [],
    archive: undefined,
  });
  if (place.trouble?.state === 'unreachable') return bad('unreachable', place.trouble.problem);
  try {
    const patienceMs = options.archive ? INFO_MS : GLANCE_MS;
    const asking: Ask = (args, timeoutMs) => ask(repository, args, timeoutMs, input, signal);
    const info = parseInfo(await asking(['info', '--output=json'], patienceMs));
    if (info.status === 'missing')
      return bad(place.trouble?.state ?? 'empty', place.trouble?.problem ?? 'nothing is in it');
    if (info.status === 'other') {
      const state = repository.directory === undefined ? 'unreachable' : 'damaged';
      return bad(place.trouble?.state ?? state, place.trouble?.problem ?? info.message);
    }
    return {
      ...common,
      state: place.trouble?.state ?? 'ready',
      problem: place.trouble?.problem,
      backups: info.backups.map(backup => ({ ...backup, repository: repository.name })),
      archive: options.archive
        ? await readArchive(asking, input.spec.name, info.archiveId, input.segmentBytes)
        : undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    return bad(place.trouble?.state ?? 'unreachable', place.trouble?.problem ?? messageOf(error));
  }
}

async function ask(
  repository: Repository,
  args: string[],
  timeoutMs: number,
  { record, paths, spec }: ObserveInput,
  signal: AbortSignal,
): Promise<string> {
  const result = await runTool(record, {
    args,
    config: backupPaths(paths).confOf(repository.name),
    stanza: spec.name,
    what: `looking at ${repository.name}`,
    signal,
    timeoutMs,
    maxOutputBytes: LISTING_BYTES,
  });
  return result.stdout;
}
