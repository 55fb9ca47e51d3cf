import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EndpointAddress } from '../../contract.ts';

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

/** This machine's psql at a port that leads to the cluster. */
export function psqlArguments(
  { host, port, unnamed }: EndpointAddress,
  { user, database, caFile }: { user: string; database: string; caFile: string },
): string[] {
  const conninfo = {
    host,
    // What the name `localhost` means is not left to the machine.
    hostaddr: '127.0.0.1',
    port: String(port),
    user,
    dbname: database,
    sslmode: unnamed === true ? 'verify-ca' : 'verify-full',
    sslrootcert: caFile,
  };
  const words = Object.entries(conninfo).map(([key, value]) => `${key}='${value.replace(/['\\]/g, '\\$&')}'`);
  return ['psql', words.join(' ')];
}

function escaped(text: string): string {
  return text.replace(/[\\:]/g, '\\$&');
}
