/** The key that the repositories are encrypted with: a secret of the cluster. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { KeyFacts } from '../../../core/schedule/facts.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';

/** 256 bits, in letters and digits that survive being copied by hand. */
const KEY_BYTES = 32;
const FORMAT = /^[A-Za-z0-9_-]{16,128}$/;

export class BackupKey {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(): Promise<string | undefined> {
    return (await readIfExists(join(this.#directory, 'key')))?.trim();
  }

  /** Makes one where there is none. */
  async ensure(): Promise<string> {
    const known = await this.read();
    if (known !== undefined && known !== '') return known;
    const key = randomBytes(KEY_BYTES).toString('base64url');
    await this.#write(key);
    return key;
  }

  /** Takes one from elsewhere. Refused where another one is in use. */
  async import(text: string): Promise<void> {
    const key = text.trim();
    if (!FORMAT.test(key)) {
      throw new RefusedError({
        code: 'backup-key-invalid',
        message: 'this is no key of pgherd',
        hint: 'give the file that `pgherd backup-key NAME --file FILE` has written, or what it has printed',
      });
    }
    const known = await this.read();
    if (known !== undefined && known !== key) {
      throw new RefusedError({
        code: 'backup-key-other',
        message: 'this cluster has another backup key already',
        hint: 'its repositories could not be read with the new one; nothing was changed',
      });
    }
    if (known === undefined) await this.#write(key);
    await this.noteSaved();
  }

  async noteSaved(): Promise<void> {
    await writeAtomically(join(this.#directory, 'saved'), `${new Date().toISOString()}\n`, { mode: 0o600 });
  }

  async facts(): Promise<KeyFacts | undefined> {
    const key = await this.read();
    if (key === undefined) return undefined;
    const savedAt = (await readIfExists(join(this.#directory, 'saved')))?.trim();
    return { fingerprint: createHash('sha256').update(key).digest('hex').slice(0, 12), savedAt };
  }

  async #write(key: string): Promise<void> {
    await ensureDirectory(this.#directory, { mode: 0o700 });
    await writeAtomically(join(this.#directory, 'key'), `${key}\n`, { mode: 0o600 });
  }
}
