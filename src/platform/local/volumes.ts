/**
 * A volume for each isolated member: an image of fixed size with a file system, mounted where the member's data
 * lie. It can be filled to the last block without touching this machine's disk.
 */
import { chmod, mkdir, mkdtemp, open, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PgherdError } from '../../lib/errors.ts';
import { CommandError, run } from '../../lib/exec.ts';
import { poll } from '../../lib/time.ts';
import { type Paths, volumeImage } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import { type IsolationPrograms, isolationPrograms } from './setup/index.ts';

const MIB = 1024 * 1024;
/** Big enough for a member under load, small enough to be filled in a moment; the image takes what is written. */
const SMALLEST = 1024 * MIB;
const LARGEST = 2048 * MIB;
/** In a member's volume: what a drill fills it with. */
export const FILLER = '.pgherd-drill-filler';

const MOUNT_MS = 30_000;
/** What has just been killed lets its files go in its own time. */
const UNMOUNT_MS = 15_000;

/** Size of the volumes of a cluster whose manifest asks for this much. */
export function volumeSize(wanted: number): number {
  return Math.min(LARGEST, Math.max(SMALLEST, wanted));
}

/** Mounts a member's volume, and makes it first where there is none. */
export async function ensureVolume(
  record: ClusterRecord,
  paths: Paths,
  member: string,
  signal: AbortSignal,
): Promise<void> {
  const directory = join(paths.data, member);
  if (record.volumeBytes === 0 || (await mountsBelow(paths.data)).includes(directory)) return;
  await mkdir(directory, { recursive: true });
  // Should the volume be missing one day, nobody may write below it.
  await chmod(directory, 0o000);
  const image = volumeImage(paths, member);
  const programs = isolationPrograms(record.programs);
  if ((await stat(image).catch(() => undefined)) === undefined) {
    await makeImage(programs, image, { bytes: record.volumeBytes, owner: record.serviceUser }, signal);
  }
  await mount(programs, image, directory, signal);
  // A drill whose machine went down in the middle.
  await rm(join(directory, FILLER), { force: true });
}

/** Unmounts every volume of the cluster; the images stay. */
export async function releaseVolumes(
  record: ClusterRecord,
  paths: Paths,
  signal: AbortSignal,
): Promise<void> {
  const programs = isolationPrograms(record.programs);
  for (const directory of await mountsBelow(paths.data)) await unmount(programs, directory, signal);
}

/** Unmounts a member's volume and moves its image to `target`. False where it has none. */
export async function moveVolume(
  record: ClusterRecord,
  paths: Paths,
  member: string,
  target: string,
  signal: AbortSignal,
): Promise<boolean> {
  const directory = join(paths.data, member);
  if ((await mountsBelow(paths.data)).includes(directory)) {
    await unmount(isolationPrograms(record.programs), directory, signal);
  }
  const image = volumeImage(paths, member);
  if ((await stat(image).catch(() => undefined)) === undefined) return false;
  await rename(image, target);
  await rmdir(directory).catch(() => {});
  return true;
}

/** Directories below `parent` on which something is mounted. */
export async function mountsBelow(parent: string): Promise<string[]> {
  // The kernel knows them without the symbolic links on the way.
  const real = await realpath(parent).catch(() => parent);
  return mountPoints(await readFile('/proc/self/mountinfo', 'utf8'))
    .filter(path => path.startsWith(`${real}/`))
    .map(path => join(parent, path.slice(real.length)));
}

/** The fifth field of each line; space, tab, newline and backslash stand there as octal numbers. */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map(line => line.split(' ')[4])
    .filter(field => field !== undefined)
    .map(field =>
      field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

/** Whether volumes can be mounted here: undefined, or why not. Tries it in `parent`, and leaves nothing behind. */
export async function volumeObstacle(
  programs: IsolationPrograms,
  parent: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const scratch = await mkdtemp(join(parent, '.check-'));
  const image = join(scratch, 'image');
  const directory = join(scratch, 'mounted');
  try {
    await mkdir(directory);
    await allocate(image, 8 * MIB);
    await run([programs['mkfs.ext4'], '-q', '-F', image], { signal, timeoutMs: MOUNT_MS });
    await mount(programs, image, directory, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.detail?.split('\n')[0] ?? error.message;
  } finally {
    const options = { signal: AbortSignal.timeout(MOUNT_MS), timeoutMs: MOUNT_MS };
    if ((await mountsBelow(scratch)).length > 0) await run([programs.umount, directory], options);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes an image with a file system; it has another name until it is complete. */
export async function makeImage(
  programs: IsolationPrograms,
  image: string,
  { bytes, owner }: { bytes: number; owner: { uid: number; gid: number } },
  signal: AbortSignal,
): Promise<void> {
  const fresh = `${image}.new`;
  await allocate(fresh, bytes);
  // No blocks are reserved for root: full is full, for whoever fills it.
  const options = ['-q', '-F', '-m', '0', '-E', `root_owner=${owner.uid}:${owner.gid}`];
  await run([programs['mkfs.ext4'], ...options, fresh], { signal, timeoutMs: MOUNT_MS });
  await rename(fresh, image);
}

/** A file with holes only: it takes the disk space of what is written later. */
async function allocate(path: string, bytes: number): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}

export async function mount(
  programs: IsolationPrograms,
  image: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const options = 'loop,nodev,nosuid,noatime,discard';
  await run([programs.mount, '-t', 'ext4', '-o', options, image, directory], { signal, timeoutMs: MOUNT_MS });
}

/** Waits for what was killed just before to let its files go. Rejects when something uses the volume still. */
export async function unmount(
  programs: IsolationPrograms,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const argv = [programs.umount, directory] as const;
  let complaint = '';
  await poll(
    async inner => {
      const { code, stderr } = await run(argv, { signal: inner, timeoutMs: MOUNT_MS, okCodes: [0, 1, 32] });
      complaint = stderr.trim();
      return code === 0 || !(await mountsBelow(join(directory, '..'))).includes(directory) ? true : undefined;
    },
    { what: `${directory} to be unmounted`, timeoutMs: UNMOUNT_MS, everyMs: 100, signal },
  ).catch(cause => {
    signal.throwIfAborted();
    throw new PgherdError({
      code: 'volume-busy',
      message: `the volume mounted on ${directory} cannot be unmounted`,
      detail: complaint,
      hint: `something uses it still (find it with: fuser -vm ${directory}); then run the command again`,
      cause,
    });
  });
}
