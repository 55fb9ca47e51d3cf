/** What can be said of a repository's place without pgBackRest: is it there, does it take files, is there room. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RepositoryFacts } from '../../../core/schedule/facts.ts';
import { codeOf, messageOf } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import type { ClusterRecord } from '../record.ts';
import { lookAtPlace } from './place.ts';
import type { Repository } from './repositories.ts';
import { asServersUser } from './tool.ts';

/** Less than this and not even a segment fits. */
const LEAST_BYTES = 20 * 1024 * 1024;
const TEST_MS = 5000;

export interface PlaceState {
  /** undefined: as far as can be told, it takes what comes. */
  trouble: { state: RepositoryFacts['state']; problem: string } | undefined;
  freeBytes: number | undefined;
  /** Type of the file system; undefined where it is no directory of this machine, or does not answer. */
  fileSystem: string | undefined;
  mountPoint: string | undefined;
}

const UNKNOWN = { trouble: undefined, freeBytes: undefined, fileSystem: undefined, mountPoint: undefined };

/**
 * Never rejects but when aborted. `mountedBefore`: where the place was mounted when the repository was made. A share
 * that is not mounted leaves an empty directory behind, and backups must not go to what is below it.
 */
export async function placeState(
  repository: Repository,
  record: ClusterRecord,
  mountedBefore: string | undefined,
  signal: AbortSignal,
): Promise<PlaceState> {
  const { directory, spec } = repository;
  if (directory === undefined) return UNKNOWN;
  const top = spec.kind === 'directory' ? spec.path : dirname(directory);
  let place: Awaited<ReturnType<typeof lookAtPlace>>;
  try {
    place = await lookAtPlace(top, signal);
  } catch (error) {
    signal.throwIfAborted();
    const state = repository.member === undefined ? 'unreachable' : 'empty';
    return { ...UNKNOWN, trouble: { state, problem: messageOf(error) } };
  }
  const { fileSystem, mountPoint, freeBytes } = place;
  const seen = { freeBytes, fileSystem, mountPoint };
  if (mountedBefore !== undefined && mountPoint !== mountedBefore) {
    const problem = `${mountedBefore} is not mounted`;
    return { ...UNKNOWN, trouble: { state: 'unreachable', problem } };
  }
  const trouble = await writeTrouble(directory, top, record, signal);
  if (trouble !== undefined) return { ...seen, trouble };
  if (freeBytes < LEAST_BYTES) {
    const problem = `${directory} is full: ${Math.floor(freeBytes / 1024 / 1024)} MiB are left`;
    return { ...seen, trouble: { state: 'full', problem } };
  }
  return { ...seen, trouble: undefined };
}

async function writeTrouble(
  directory: string,
  top: string,
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<PlaceState['trouble']> {
  const there = await stat(directory).then(
    () => directory,
    () => undefined,
  );
  // Root may write everywhere but on what is mounted read-only.
  try {
    await access(there ?? top, constants.W_OK);
  } catch (error) {
    if (codeOf(error) === 'EROFS')
      return { state: 'read-only', problem: `${directory} is on a file system that is mounted read-only` };
  }
  if (there === undefined) return undefined;
  for (const path of [directory, join(directory, 'archive'), join(directory, 'backup')]) {
    if (!(await stat(path).catch(() => undefined))) continue;
    const result = await run(['/usr/bin/test', '-w', path, '-a', '-x', path], {
      signal,
      timeoutMs: TEST_MS,
      okCodes: [0, 1],
      ...asServersUser(record),
    });
    if (result.code !== 0)
      return { state: 'read-only', problem: `the servers' user may not write to ${path}` };
  }
  return undefined;
}

/** Free bytes of the file system that a path is on; undefined where it cannot be seen. */
export async function freeBytesOf(path: string): Promise<number | undefined> {
  const found = await statfs(path).catch(() => undefined);
  return found === undefined ? undefined : found.bavail * found.bsize;
}
