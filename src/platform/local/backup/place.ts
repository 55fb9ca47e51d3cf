/** A directory that backups go to: what file system it is on, and whether that does what backups rely on. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, RefusedError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';

/** A server of a share that is gone makes every look at it hang; its own time limits are minutes. */
const ANSWER_MS = 10_000;

export interface PlaceFacts {
  /** Type of the mount: "ext4", "cifs", "nfs4". */
  fileSystem: string;
  mountPoint: string;
  freeBytes: number;
  totalBytes: number;
}

/**
 * Looks at a directory without changing it. Rejects with a RefusedError when it is not there, is no directory, or
 * does not answer. The first look is another process's: a share that hangs would keep one of our few threads.
 */
export async function lookAtPlace(directory: string, signal: AbortSignal): Promise<PlaceFacts> {
  await answers(directory, signal);
  const [{ bavail, blocks, bsize }, mounts] = await Promise.all([
    statfs(directory),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  const mount = mountOf(await realpath(directory), mounts);
  return {
    fileSystem: mount?.type ?? 'unknown',
    mountPoint: mount?.point ?? '/',
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
  };
}

async function answers(directory: string, signal: AbortSignal): Promise<void> {
  const look = run(['/usr/bin/stat', '--dereference', '--format=%F', '--', directory], {
    signal,
    timeoutMs: ANSWER_MS,
  }).then(
    ({ stdout }) => (stdout.trim() === 'directory' ? 'directory' : 'other'),
    (error: unknown) => (codeOf(error) === 'command-timeout' ? 'silent' : 'missing'),
  );
  // A process that hangs in the kernel cannot be killed either: nobody waits for its end.
  const late = new Promise<'silent'>(resolve =>
    setTimeout(() => resolve('silent'), ANSWER_MS + 1000).unref(),
  );
  const answer = await Promise.race([look, late]);
  signal.throwIfAborted();
  if (answer === 'silent') {
    throw unfit(
      `${directory} does not answer: its server may be gone`,
      'look at the share and its server; `umount -l` lets go of a mount that hangs',
    );
  }
  if (answer === 'missing')
    throw unfit(`${directory} is not there`, 'make the directory, or mount the share');
  if (answer === 'other') throw unfit(`${directory} is no directory`, 'name a directory');
}

/**
 * Tries what backups rely on: writing, fsync, renaming files and directories, all in a directory of its own that is
 * removed again. Rejects with a RefusedError that names what does not work.
 */
export async function tryPlace(directory: string): Promise<void> {
  const scratch = join(directory, `.pgherd-trial-${randomBytes(4).toString('hex')}`);
  const steps: [what: string, step: () => Promise<void>][] = [
    ['a directory cannot be made in it', () => mkdir(scratch, { mode: 0o700 }).then(() => {})],
    ['a file cannot be written', () => writeDurably(join(scratch, 'one'))],
    ['a file cannot be renamed', () => rename(join(scratch, 'one'), join(scratch, 'two'))],
    ['a file cannot be replaced', () => replace(scratch)],
    ['a directory cannot be renamed', () => rename(scratch, `${scratch}-moved`)],
  ];
  try {
    for (const [what, step] of steps) {
      await step().catch((error: unknown) => {
        throw unfit(
          `${directory}: ${what} (${codeOf(error) ?? messageOf(error)})`,
          'backups need a directory that this user may write to, on a file system with fsync and rename',
        );
      });
    }
  } finally {
    for (const left of [scratch, `${scratch}-moved`])
      await rm(left, { recursive: true, force: true }).catch(() => {});
  }
}

async function writeDurably(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile('pgherd');
  await file.sync();
}

async function replace(scratch: string): Promise<void> {
  await writeDurably(join(scratch, 'three'));
  await rename(join(scratch, 'three'), join(scratch, 'two'));
}

/** Makes the names in a directory durable. SMB shares know no such thing, and keep them by themselves. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync().catch((error: unknown) => {
    if (!['EINVAL', 'ENOTSUP', 'EBADF', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
  });
}

/** The mount that a path is on, by the text of /proc/self/mountinfo: the longest prefix, of several the last. */
export function mountOf(path: string, mountinfo: string): { point: string; type: string } | undefined {
  let found: { point: string; type: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    // "36 35 98:0 /root /mnt/share rw,noatime shared:1 - cifs //server/share rw": the dash ends optional fields.
    const [left = '', right = ''] = line.split(' - ');
    const point = unescaped(left.split(' ')[4] ?? '');
    const type = right.split(' ')[0] ?? '';
    if (point === '' || type === '') continue;
    const holds = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (holds && point.length >= (found?.point.length ?? 0)) found = { point, type };
  }
  return found;
}

/** mountinfo writes blanks and the like as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function unfit(message: string, hint: string): RefusedError {
  return new RefusedError({ code: 'backup-place-unfit', message, hint });
}
