/** Data that a restore or a smaller manifest has set aside: kept for a while, then deleted. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { AsideFacts } from '../../../core/schedule/facts.ts';
import { readIfExists, writeAtomically } from '../../../lib/files.ts';
import type { Paths } from '../layout.ts';

/** Names are those of entries of aside/: a note never leads anywhere else. */
const note = z.object({
  schema: z.literal(1),
  keepUntil: z.string(),
  /** Why they are there, for people. */
  why: z.string().optional(),
  names: z.array(z.string().regex(/^[^/]+$/)),
});

const NOTE = /^kept-.*\.json$/;

function noteFile(paths: Paths, stamp: string): string {
  return join(paths.aside, `kept-${stamp}.json`);
}

/** Adds paths to one note. Resolves with all of the note's paths. */
export async function noteAside(
  paths: Paths,
  stamp: string,
  { keepUntil, why }: { keepUntil: string; why: string },
  added: string[],
): Promise<string[]> {
  const known = (await readNote(noteFile(paths, stamp)))?.names ?? [];
  const names = [...new Set([...known, ...added.map(path => basename(path))])];
  const text = JSON.stringify({ schema: 1, keepUntil, why, names });
  await writeAtomically(noteFile(paths, stamp), text, { mode: 0o600 });
  return names.map(name => join(paths.aside, name));
}

/** Everything that is set aside; what no note tells of is deleted by hand only. */
export async function listAside(paths: Paths): Promise<AsideFacts[]> {
  const entries = await readdir(paths.aside).catch(() => []);
  const notes = await Promise.all(
    entries.filter(name => NOTE.test(name)).map(name => readNote(join(paths.aside, name))),
  );
  const noteOf = (name: string) => notes.find(found => found?.names.includes(name) === true);
  return entries
    .filter(name => !NOTE.test(name))
    .sort()
    .map(name => ({
      path: join(paths.aside, name),
      why: noteOf(name)?.why,
      keepUntil: noteOf(name)?.keepUntil,
    }));
}

/** Deletes what was set aside until before `now`. Resolves with the paths. */
export async function sweepAside(paths: Paths, now: Date): Promise<string[]> {
  const files = await readdir(paths.aside).catch(() => []);
  const gone: string[] = [];
  for (const file of files.filter(name => NOTE.test(name))) {
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
