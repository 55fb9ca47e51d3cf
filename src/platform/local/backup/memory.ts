/** Small documents beside the cluster's backups. They may be lost: whoever reads them computes anew. */
import { join } from 'node:path';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';
import type { BackupMemory } from '../../contract.ts';

export class FileMemory implements BackupMemory {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(name: string): Promise<unknown> {
    const text = await readIfExists(this.#path(name));
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  async write(name: string, document: unknown): Promise<void> {
    await ensureDirectory(this.#directory, { mode: 0o700 });
    await writeAtomically(this.#path(name), `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
  }

  #path(name: string): string {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new RangeError(`"${name}" is no name of a document`);
    return join(this.#directory, `${name}.json`);
  }
}
