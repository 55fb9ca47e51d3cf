/**
 * The directory of a cluster's dumps, `<place>/<namespace>/<cluster>`:
 *
 *   2026-11-22T02-00-00Z/   a complete dump: manifest.json, SHA256SUMS, globals.sql, one file for each database
 *   .partial-UID-ID/        one that is being made, or whose maker was killed
 *
 * A dump appears under its name by one rename, after all of it is durable; before it goes it loses its manifest.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DumpContents,
  dumpMoment,
  parseDumpContents,
  type StoredDump,
} from '../../../../core/schedule/dump.ts';
import { codeOf } from '../../../../lib/errors.ts';
import { writeAtomically } from '../../../../lib/files.ts';
import { syncDirectory } from '../place.ts';

const MANIFEST = 'manifest.json';
const SUMS = 'SHA256SUMS';

/** Complete dumps, oldest first. `uid`: of the cluster whose own they may be. */
export async function listDumps(directory: string, uid: string): Promise<StoredDump[]> {
  const ids = (await names(directory)).filter(name => dumpMoment(name) !== undefined).sort();
  const found = await Promise.all(
    ids.map(async id => {
      const path = join(directory, id);
      const text = await readFile(join(path, MANIFEST), 'utf8').catch(() => undefined);
      const contents = text === undefined ? undefined : parseDumpContents(text);
      return contents === undefined ? undefined : { id, path, own: contents.uid === uid, contents };
    }),
  );
  return found.filter(dump => dump !== undefined);
}

export function partialName(uid: string, id: string): string {
  return `.partial-${uid}-${id}`;
}

/** Removes what killed runs of this very cluster have left. Others may share the directory. */
export async function sweepPartials(directory: string, uid: string): Promise<void> {
  for (const name of await names(directory)) {
    if (name.startsWith(partialName(uid, ''))) await rm(join(directory, name), { recursive: true });
  }
}

/** Size and SHA-256 of a file, read from its start to its end. */
export async function digest(path: string, signal: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes the two documents about a dump's files, and makes all names durable. */
export async function describeDump(path: string, contents: DumpContents): Promise<void> {
  const sums = contents.files.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('');
  await writeAtomically(join(path, SUMS), sums, { mode: 0o600 });
  await writeAtomically(join(path, MANIFEST), `${JSON.stringify(contents, null, 2)}\n`, { mode: 0o600 });
  await syncDirectory(path);
}

/** What is wrong with the files of a dump, one sentence for each that is not as it was written. */
export async function checkFiles(
  { path, contents }: StoredDump,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { file, bytes, sha256 } of contents.files) {
    progress(`reading ${file}`);
    try {
      const found = await digest(join(path, file), signal);
      if (found.bytes !== bytes) problems.push(`${file} has ${found.bytes} bytes instead of ${bytes}`);
      else if (found.sha256 !== sha256)
        problems.push(`${file} is not what was written: its checksum differs`);
    } catch (error) {
      signal.throwIfAborted();
      problems.push(
        codeOf(error) === 'ENOENT'
          ? `${file} is missing`
          : `${file} cannot be read (${codeOf(error) ?? 'unknown error'})`,
      );
    }
  }
  return problems;
}

/** From the moment that its manifest is gone it is no dump any more, whatever becomes of the rest. */
export async function removeDump(directory: string, id: string): Promise<void> {
  await rm(join(directory, id, MANIFEST), { force: true });
  await rm(join(directory, id), { recursive: true, force: true });
}

/** Whether a file ends with this line, blank lines aside. */
export async function endsWith(path: string, line: string): Promise<boolean> {
  const { size } = await stat(path);
  await using file = await open(path, 'r');
  const length = Math.min(size, 4096);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('utf8').split('\n').includes(line);
}

async function names(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}
