/** Data that a restore has set aside: kept for a while, then deleted. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { readIfExists, writeAtomically } from '../../../../lib/files.ts';
import type { Paths } from '../../layout.ts';

/** Names are those of entries of aside/: a note never leads anywhere else. */
const note = z.object({
  schema: z.literal(1),
  keepUntil: z.string(),
  names: z.array(z.string().regex(/^[^/]+$/)),
});

function noteFile(paths: Paths, stamp: string): string {
  return join(paths.aside, `restore-${stamp}.json`);
}

/** Adds paths to the note of one restore. */
export async function noteAside(
  paths: Paths,
  stamp: string,
  keepUntil: string,
  added: string[],
): Promise<string[]> {
  const known = (await readNote(noteFile(paths, stamp)))?.names ?? [];
  const names = [...new Set([...known, ...added.map(path => basename(path))])];
  const text = JSON.stringify({ schema: 1, keepUntil, names });
  await writeAtomically(noteFile(paths, stamp), text, { mode: 0o600 });
  return names.map(name => join(paths.aside, name));
}

/** Deletes what was set aside until before `now`. Resolves with the paths. */
export async function sweepAside(paths: Paths, now: Date): Promise<string[]> {
  const files = await readdir(paths.aside).catch(() => []);
  const gone: string[] = [];
  for (const file of files.filter(name => /^restore-.*\.json$/.test(name))) {
    const path = join(paths.aside, file);
    const found = await readNote(path);
    // A note that cannot be understood keeps what it names: a person has to look.
    if (found === undefined || !(Date.parse(found.keepUntil) <= now.getTime())) continue;
    for (const name of found.names.filter(entry => entry !== '.' && entry !== '..')) {
      await rm(join(paths.aside, name), { recursive: true, force: true });
      gone.push(join(paths.aside, name));
    }
    await rm(path, { force: true });
  }
  return gone;
}

async function readNote(path: string): Promise<z.infer<typeof note> | undefined> {
  try {
    return note.parse(JSON.parse((await readIfExists(path)) ?? ''));
  } catch {
    return undefined;
  }
}
