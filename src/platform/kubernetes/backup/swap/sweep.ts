import type { RestoreShell } from '../scratch/shell.ts';
import { type AsideNote, asideOf, asidePaths, SWAP_PLACES, swapOf } from './note.ts';
import type { Pausing } from './pausing.ts';

const DELETE_MS = 600_000;

/** Deletes data that were set aside and whose time has come, where all members that have them run. Resolves with the paths. */
export async function sweepAside(
  pausing: Pausing,
  member: (name: string) => RestoreShell,
  now: Date,
  signal: AbortSignal,
): Promise<string[]> {
  const config = await pausing.config(signal);
  const notes = asideOf(config);
  const due = notes.filter(({ keepUntil }) => Date.parse(keepUntil) <= now.getTime());
  if (due.length === 0 || swapOf(config) !== undefined) return [];
  const gone: AsideNote[] = [];
  for (const note of due) {
    const words = [SWAP_PLACES.aside(note.name)];
    const deleted = await Promise.allSettled(
      note.members.map(name => member(name).run('rm -rf "$1"', words, signal, DELETE_MS)),
    );
    if (deleted.every(({ status }) => status === 'fulfilled')) gone.push(note);
  }
  await pausing.writeAside(
    notes.filter(note => !gone.includes(note)),
    signal,
  );
  return gone.flatMap(asidePaths);
}
