import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files with passwords, for programs that are not to have them in arguments or environment. */
export class Passfiles implements Disposable {
  #directory: string | undefined;
  #count = 0;

  /** Path of a file in libpq's format. */
  write(user: string, password: string): string {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'pgherd-'));
    this.#count += 1;
    const path = join(this.#directory, `pgpass-${this.#count}`);
    writeFileSync(path, `*:*:*:${escaped(user)}:${escaped(password)}\n`, { mode: 0o600 });
    return path;
  }

  [Symbol.dispose](): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\:]/g, '\\$&');
}
