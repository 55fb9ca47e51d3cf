import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

export interface Owner {
  uid: number;
  gid: number;
}

export interface WriteOptions {
  mode: number;
  /** Only root may give files away; undefined leaves them with the process's own user. */
  owner?: Owner | undefined;
  /** false: what a crash of the machine may lose, because it is written anew after one. A disk can take a second. */
  durable?: false;
}

/** The file's text, or undefined when there is no such file. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: a file of /proc whose process has just ended.
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Writes a file so that a reader, also after a crash, sees either the old text or the new one. */
export async function writeAtomically(path: string, text: string, options: WriteOptions): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', options.mode);
    try {
      await file.writeFile(text);
      await file.chmod(options.mode);
      if (options.durable !== false) await file.sync();
    } finally {
      await file.close();
    }
    if (options.owner !== undefined) await chown(temporary, options.owner.uid, options.owner.gid);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Creates a directory and its parents; mode and owner are applied to the last one only. */
export async function ensureDirectory(path: string, options: WriteOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { mode: options.mode }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  if (options.owner !== undefined) await chown(path, options.owner.uid, options.owner.gid);
}
