/**
 * Repositories of backups that fail or hold damage. Only directories of this machine can be broken; what is in them
 * is never changed but for one file, of which a copy is put aside first.
 */
import { randomBytes } from 'node:crypto';
import { chmod, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, PgherdError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import { ensureDirectory } from '../../../lib/files.ts';
import { backupPaths } from '../backup/paths.ts';
import { mountsBelow } from '../volumes.ts';
import type { FaultContext, FaultOf, Injector, Prepared } from './injector.ts';
import type { StepOf } from './schema.ts';

type BreakRepository = FaultOf<'break-repository'>;

const TOOL_MS = 60_000;
/** A copy of the file is kept beside the cluster meanwhile. */
const LARGEST_BYTES = 256 * 1024 * 1024;

export const breakRepository: Injector<BreakRepository> = {
  async obstacle({ repository, how }, context) {
    const place = await placeOf(repository, context);
    if (place === undefined) return `there is no repository "${repository}" that was made`;
    const { type, path } = place;
    if (type !== 'posix' && type !== 'cifs')
      return `${repository} is not a directory of this machine: break it where it is`;
    if (type === 'cifs' && (how === 'read-only' || how === 'unreachable'))
      return `${repository} is on a share, which knows no permissions: unmount it, or end its server`;
    if (how === 'full') return await fullObstacle(repository, await archiveOf(path, context), context);
    if ((how === 'flipped' || how === 'missing') && (await victimIn(path, context)) === undefined)
      return `${repository} holds no backup with a file to damage`;
    return undefined;
  },

  async prepare(fault, context) {
    const place = await placeOf(fault.repository, context);
    if (place === undefined) throw gone(fault.repository);
    switch (fault.how) {
      case 'read-only':
        return await readOnly(join(place.path, 'archive', context.record.name), fault);
      case 'unreachable':
        return await withModes([place.path], () => 0, `nobody may enter ${place.path}`);
      case 'full':
        return full(await archiveOf(place.path, context), context);
      case 'flipped':
      case 'missing':
        return await damaged(place.path, fault, context);
    }
  },
};

/** By pgBackRest's own configuration, which holds secrets as well: they stay there. */
async function placeOf(
  repository: string,
  { paths }: FaultContext,
): Promise<{ type: string; path: string } | undefined> {
  try {
    const text = await readFile(backupPaths(paths).confOf(repository), 'utf8');
    const type = /^repo1-type=(.*)$/m.exec(text)?.[1];
    const path = /^repo1-path=(.*)$/m.exec(text)?.[1];
    return type === undefined || path === undefined ? undefined : { type, path };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where the archive takes new segments: the newest data set of the stanza. */
async function archiveOf(path: string, { record }: FaultContext): Promise<string | undefined> {
  const archive = join(path, 'archive', record.name);
  const sets = (await readdir(archive).catch(() => [])).filter(name => /^\d+(\.\d+)?-\d+$/.test(name));
  const number = (name: string) => Number(name.split('-')[1]);
  const newest = sets.sort((a, b) => number(a) - number(b)).at(-1);
  return newest === undefined ? undefined : join(archive, newest);
}

async function readOnly(archive: string, { repository }: BreakRepository): Promise<Prepared> {
  const entries = await readdir(archive, { withFileTypes: true, recursive: true });
  const directories = entries
    .filter(entry => entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
  return await withModes(
    [archive, ...directories],
    mode => mode & 0o7555,
    `nobody may write into the archive of ${repository}, ${archive}`,
  );
}

async function withModes(
  paths: string[],
  change: (mode: number) => number,
  description: string,
): Promise<Prepared> {
  const directories = await Promise.all(
    paths.map(async path => ({ path, mode: (await stat(path)).mode & 0o7777 })),
  );
  return {
    description,
    weaker: undefined,
    undo: [{ kind: 'modes', directories }],
    async act(done) {
      for (const { path, mode } of directories) {
        await chmod(path, change(mode));
        done();
      }
    },
  };
}

export async function returnModes({ directories }: StepOf<'modes'>): Promise<string> {
  for (const { path, mode } of directories) {
    await chmod(path, mode).catch(error => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
  return `${directories.length} directories have their modes again`;
}

async function fullObstacle(
  repository: string,
  archive: string | undefined,
  { record }: FaultContext,
): Promise<string | undefined> {
  if (archive === undefined) return `${repository} holds no WAL yet`;
  if (process.getuid?.() !== 0) return 'a file system that is full is mounted by root only';
  if (record.isolated) return 'isolated members see mounts of their own only';
  // In mounts of its own: nothing of the probe is left.
  const probe = ['unshare', '--mount', 'mount', '-t', 'tmpfs', 'pgherd-probe', archive] as const;
  const { code } = await run(probe, {
    timeoutMs: TOOL_MS,
    signal: AbortSignal.timeout(TOOL_MS),
    okCodes: [0, 1, 32],
  });
  return code === 0 ? undefined : 'this machine mounts nothing';
}

function full(archive: string | undefined, { record }: FaultContext): Prepared {
  if (archive === undefined) throw gone('the archive');
  const { uid, gid } = record.serviceUser;
  return {
    description: `a file system without a free block lies over ${archive}`,
    weaker:
      'only the part of the repository that takes new WAL is full, and what was in it is out of sight meanwhile',
    undo: [{ kind: 'unmount', path: archive }],
    async act(done, signal) {
      const options = `size=4k,nr_inodes=64,mode=0750,uid=${uid},gid=${gid}`;
      await run(['mount', '-t', 'tmpfs', '-o', options, 'pgherd-drill', archive], {
        signal,
        timeoutMs: TOOL_MS,
      });
      done();
      await writeFile(join(archive, '.full'), Buffer.alloc(4096));
    },
  };
}

export async function unmount({ path }: StepOf<'unmount'>): Promise<string | undefined> {
  if (!(await mountsBelow(dirname(path))).includes(path)) return undefined;
  const signal = AbortSignal.timeout(TOOL_MS);
  await run(['umount', '--lazy', path], { signal, timeoutMs: TOOL_MS });
  return `${path} is what it was`;
}

/** The largest file of the newest backup that may be copied, and is not one of pgBackRest's lists. */
async function victimIn(path: string, { record }: FaultContext): Promise<string | undefined> {
  const backups = join(path, 'backup', record.name);
  const labels = (await readdir(backups).catch(() => [])).filter(name => /^\d{8}-\d{6}F/.test(name)).sort();
  for (const label of labels.reverse()) {
    const entries = await readdir(join(backups, label), { withFileTypes: true, recursive: true });
    const files = await Promise.all(
      entries
        .filter(entry => entry.isFile() && !entry.name.startsWith('backup.manifest'))
        .map(async ({ parentPath, name }) => {
          const file = join(parentPath, name);
          return { file, bytes: (await stat(file)).size };
        }),
    );
    const fit = files.filter(({ bytes }) => bytes > 0 && bytes <= LARGEST_BYTES);
    const largest = fit.sort((a, b) => b.bytes - a.bytes)[0];
    if (largest !== undefined) return largest.file;
  }
  return undefined;
}

async function damaged(
  path: string,
  { repository, how }: BreakRepository,
  context: FaultContext,
): Promise<Prepared> {
  const victim = await victimIn(path, context);
  if (victim === undefined) throw gone(repository);
  const faults = join(context.paths.root, 'faults');
  const saved = join(faults, `saved-${randomBytes(4).toString('hex')}`);
  return {
    description: how === 'flipped' ? `a byte of ${victim} was flipped` : `${victim} was deleted`,
    weaker: undefined,
    undo: [{ kind: 'put-back', path: victim, saved }],
    async act(done, signal) {
      await ensureDirectory(faults, { mode: 0o700 });
      await copy(victim, saved, signal);
      if (how === 'flipped') await flip(victim);
      else await rm(victim);
      done();
    },
  };
}

/** Whole under its name or not there at all, and durable. */
async function copy(from: string, to: string, signal: AbortSignal): Promise<void> {
  const partial = `${to}.partial`;
  await run(['cp', '--archive', from, partial], { signal, timeoutMs: TOOL_MS });
  await run(['sync', partial], { signal, timeoutMs: TOOL_MS });
  await rename(partial, to);
}

async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const position = Math.floor((await file.stat()).size / 2);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 0xff;
    await file.write(byte, 0, 1, position);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A backup that was deleted meanwhile needs it no more. */
export async function putBack(
  { path, saved }: StepOf<'put-back'>,
  _context: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  await rm(`${saved}.partial`, { force: true });
  if ((await stat(saved).catch(() => undefined)) === undefined) return undefined;
  const isWanted = (await stat(dirname(path)).catch(() => undefined)) !== undefined;
  if (isWanted) await copy(saved, path, signal);
  await rm(saved, { force: true });
  return isWanted ? `${path} is what it was` : undefined;
}

function gone(what: string): PgherdError {
  return new PgherdError({ code: 'injection-failed', message: `${what} has nothing that could be broken` });
}
