/** What the repositories hold, as pgBackRest in a member's pod tells. Each is asked by itself. */
import type { ArchiverFacts, RepositoryFacts } from '../../../core/schedule/facts.ts';
import { ARCHIVER_QUERY, archiverFactsOf } from '../../../engine/pgbackrest/archiver.ts';
import { parseInfo } from '../../../engine/pgbackrest/info.ts';
import { type Ask, readArchive } from '../../../engine/pgbackrest/readArchive.ts';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import { exec } from '../api/exec.ts';
import { ARCHIVE_FAILURE, DATA_DIRECTORY } from '../objects/layout.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { type PodRepository, repositoriesOf } from '../objects/repositories.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import type { KubeBackupInput } from './input.ts';
import { runTool } from './tool.ts';

const INFO_MS = 45_000;
const LOOK_MS = 15_000;

/** Never rejects but when aborted: what is wrong with a repository is a fact of it. */
export async function observeRepository(
  repository: PodRepository,
  options: { archive: boolean; segmentBytes: number },
  pod: string | undefined,
  input: KubeBackupInput,
  signal: AbortSignal,
): Promise<RepositoryFacts> {
  const common = {
    name: repository.name,
    kind: repository.spec.kind,
    where: repository.where,
    freeBytes: undefined,
    encrypted: input.spec.backup.encryption,
  };
  const bad = (state: RepositoryFacts['state'], problem: string): RepositoryFacts => ({
    ...common,
    state,
    problem,
    backups: [],
    archive: undefined,
  });
  if (pod === undefined) return bad('unreachable', 'no member runs that could ask it');
  const ask: Ask = async (args, timeoutMs) => {
    const what = `looking at ${repository.name}`;
    const run = { args, pod, config: repository.config, what, timeoutMs, signal };
    return (await runTool(input, run)).stdout;
  };
  try {
    const info = parseInfo(await ask(['info', '--output=json'], INFO_MS));
    if (info.status === 'missing') return bad('empty', 'nothing is in it');
    if (info.status === 'other') return bad('unreachable', info.message);
    return {
      ...common,
      state: 'ready',
      problem: undefined,
      backups: info.backups.map(backup => ({ ...backup, repository: repository.name })),
      archive: options.archive
        ? await readArchive(ask, input.spec.name, info.archiveId, options.segmentBytes)
        : undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    const detail = error instanceof PgherdError && error.detail !== undefined ? ` (${error.detail})` : '';
    return bad('unreachable', `${messageOf(error)}${detail}`);
  }
}

/** undefined: the primary does not answer. */
export async function observeArchiver(
  primary: string,
  input: KubeBackupInput,
  signal: AbortSignal,
): Promise<(ArchiverFacts & { segmentBytes: number }) | undefined> {
  const { client, ref, spec } = input;
  const target = { namespace: ref.namespace, pod: primary, container: MEMBER_CONTAINER };
  try {
    await using session = await PsqlSession.open(client, target, 'postgres', signal);
    const [row = {}] = await session.query(ARCHIVER_QUERY);
    const script = `df --output=avail -B1 ${DATA_DIRECTORY}/pg_wal/ | tail -n 1; cat ${ARCHIVE_FAILURE} 2>/dev/null; true`;
    const { stdout } = await exec(client, target, ['sh', '-c', script], { timeoutMs: LOOK_MS, signal });
    const [free = '', ...rest] = stdout.split('\n');
    const failure = rest.join('\n');
    return archiverFactsOf({
      primary,
      row,
      failure: failure === '' ? undefined : failure,
      freeBytes: /^\s*\d+\s*$/.test(free) ? Number(free) : undefined,
      repositories: repositoriesOf(spec).map(({ name }) => name),
    });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
