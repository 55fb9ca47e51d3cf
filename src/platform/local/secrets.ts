import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../lib/files.ts';
import { randomPassword } from '../../lib/password.ts';
import type { Credentials } from '../contract.ts';

/** Name of a user's Secret in the format's contract. */
export function secretName(cluster: string, user: string): string {
  return `${user.replaceAll('_', '-')}.${cluster}.credentials.postgresql.acid.zalan.do`;
}

/**
 * The cluster's Secrets as directories with a file per key, the way Kubernetes mounts them. An existing one
 * is never overwritten: who wants a password of their own puts it there beforehand.
 */
export class SecretStore {
  readonly #directory: string;
  readonly #cluster: string;

  constructor(directory: string, cluster: string) {
    this.#directory = directory;
    this.#cluster = cluster;
  }

  /** Makes a Secret with a generated password for each user that has none. */
  async ensure(users: string[]): Promise<void> {
    await Promise.all(
      users.map(async user => {
        const directory = join(this.#directory, secretName(this.#cluster, user));
        if ((await readIfExists(join(directory, 'password'))) !== undefined) return;
        await ensureDirectory(directory, { mode: 0o700 });
        await writeAtomically(join(directory, 'username'), user, { mode: 0o600 });
        await writeAtomically(join(directory, 'password'), randomPassword(), { mode: 0o600 });
      }),
    );
  }

  async read(user: string): Promise<Credentials> {
    const secret = secretName(this.#cluster, user);
    const password = await readIfExists(join(this.#directory, secret, 'password'));
    if (password === undefined) {
      const known = await this.users();
      throw new RefusedError({
        code: 'unknown-user',
        message: `there are no credentials for user "${user}" in cluster ${this.#cluster}`,
        hint:
          known.length > 0 ? `known users: ${known.join(', ')}` : 'run `pgherd up` with the manifest first',
      });
    }
    return { secret, username: user, password: password.trim() };
  }

  /** A password file for libpq, so that the password stands in neither arguments nor environment. */
  async passfile(user: string): Promise<string> {
    const { secret, username, password } = await this.read(user);
    const path = join(this.#directory, secret, 'pgpass');
    await writeAtomically(path, `*:*:*:${username}:${password}\n`, { mode: 0o600 });
    return path;
  }

  async users(): Promise<string[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const users = await Promise.all(names.map(name => readIfExists(join(this.#directory, name, 'username'))));
    return users.filter(user => user !== undefined).sort();
  }
}
