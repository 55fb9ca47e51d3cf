/**
 * The register of what is broken on purpose: one file per fault below `<cluster>/faults`, written and synced
 * before anything is broken, deleted when all of it is undone. It survives kill -9 and a reboot.
 */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';
import { isAlive } from '../../../lib/process.ts';
import { StateError } from '../record.ts';
import { type RegisterEntry, registerEntry } from './schema.ts';

export interface RegisterContents {
  /** Oldest first. */
  entries: RegisterEntry[];
  /** One error for each file that cannot be understood; it names the file. */
  damaged: StateError[];
}

export class Register {
  readonly #directory: string;

  /** @param root the cluster's directory, which exists. */
  constructor(root: string) {
    this.#directory = join(root, 'faults');
  }

  /** Path of the lock that is held from looking into the register until the own entry is in it. */
  async lockFile(): Promise<string> {
    await ensureDirectory(this.#directory, { mode: 0o700 });
    return join(this.#directory, 'lock');
  }

  async add(entry: RegisterEntry): Promise<void> {
    await ensureDirectory(this.#directory, { mode: 0o700 });
    const text = `${JSON.stringify(registerEntry.parse(entry), null, 2)}\n`;
    await writeAtomically(this.#file(entry.id), text, { mode: 0o600 });
    await this.#sync();
  }

  async has(id: string): Promise<boolean> {
    return (await readIfExists(this.#file(id))) !== undefined;
  }

  async remove(id: string): Promise<void> {
    await rm(this.#file(id), { force: true });
  }

  async read(): Promise<RegisterContents> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    const contents: RegisterContents = { entries: [], damaged: [] };
    for (const name of names.filter(candidate => candidate.endsWith('.json'))) {
      const path = join(this.#directory, name);
      try {
        const text = await readIfExists(path);
        // Undone between the two looks.
        if (text !== undefined) contents.entries.push(registerEntry.parse(JSON.parse(text)));
      } catch (cause) {
        contents.damaged.push(damaged(path, cause));
      }
    }
    contents.entries.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
    return contents;
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`);
  }

  /** The name of a new file is on disk only when its directory is. */
  async #sync(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** The process that injected it still runs. */
export async function isOwned(entry: RegisterEntry): Promise<boolean> {
  return await isAlive(entry.owner);
}

/** Something stays broken until the undo; a dead control plane is started again by any `up`. */
export function isInForce(entry: RegisterEntry): boolean {
  return entry.undo.some(step => step.kind !== 'control-plane');
}

function damaged(path: string, cause: unknown): StateError {
  return new StateError({
    code: 'state-unreadable',
    message: `the registered fault ${path} cannot be understood`,
    detail: cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause),
    hint: 'it was damaged, or written by another version of pgherd: see what it says under "undo", undo that by hand, then delete the file',
    cause,
  });
}
