import { renderUserlist } from '../../../engine/pgbouncer/config.ts';
import { PgherdError } from '../../../lib/errors.ts';
import { randomPassword } from '../../../lib/password.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiConflictError } from '../api/errors.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { hashOf } from '../objects/hash.ts';
import type { KubeObject, SecretWanted } from '../objects/index.ts';

/** A Secret that people made has no password in it. */
export class SecretIncompleteError extends PgherdError {}

export interface SecretsContext {
  client: KubeClient;
  find(kind: Kind, namespace: string, name: string): LiveObject | undefined;
  put(kind: Kind, object: LiveObject): void;
  signal: AbortSignal;
}

export interface Passwords {
  /** By user name. */
  byUser: Map<string, string>;
  /** Secrets that were made just now. */
  created: string[];
  /** Changes when one of what Patroni has in its environment does. */
  systemHash: string;
}

/**
 * Makes the Secrets that are missing, with generated passwords, and reads all. One that exists is adopted as it is and
 * never written to: people put passwords of their own there, also beforehand. They belong to nobody: the volumes of a
 * deleted cluster are of no use without them.
 */
export async function ensureSecrets(
  wanted: SecretWanted[],
  labels: Record<string, string>,
  context: SecretsContext,
): Promise<Passwords> {
  const byUser = new Map<string, string>();
  const created: string[] = [];
  for (const secret of wanted) {
    const live = await findSecret(secret, context);
    if (live === undefined) {
      const password = randomPassword();
      const made = await make(secret, password, labels, context);
      if (made) created.push(secret.name);
      byUser.set(secret.username, made ? password : passwordOf(secret, await reread(secret, context)));
    } else byUser.set(secret.username, passwordOf(secret, live));
  }
  const system = wanted.filter(({ purpose }) => purpose === 'superuser' || purpose === 'replication');
  return { byUser, created, systemHash: hashOf(system.map(({ username }) => byUser.get(username))) };
}

/** The users that a pooler must know without asking the database, as a Secret of the pooler. */
export function userlistSecret(
  meta: KubeObject['metadata'],
  wanted: SecretWanted[],
  passwords: Passwords,
): KubeObject {
  const users = wanted
    .filter(({ purpose }) => purpose === 'pooler' || purpose === 'control')
    .map(({ username }) => ({ name: username, password: passwords.byUser.get(username) ?? '' }));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: meta,
    type: 'Opaque',
    data: { 'userlist.txt': encode(renderUserlist(users)) },
  };
}

export function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** A key of a Secret as text; undefined: it has no such key. */
export function decoded(secret: LiveObject | undefined, key: string): string | undefined {
  const data = (secret?.data ?? {}) as Record<string, string>;
  return data[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString('utf8');
}

/** People's own Secrets may lack the label we watch by: those are asked for. */
async function findSecret(
  { namespace, name }: SecretWanted,
  context: SecretsContext,
): Promise<LiveObject | undefined> {
  const known = context.find('Secret', namespace, name);
  if (known !== undefined) return known;
  return context.client.get({ kind: 'Secret', namespace, name }, context.signal);
}

async function reread(
  { namespace, name }: SecretWanted,
  context: SecretsContext,
): Promise<LiveObject | undefined> {
  return context.client.get({ kind: 'Secret', namespace, name }, context.signal);
}

function passwordOf(secret: SecretWanted, live: LiveObject | undefined): string {
  const password = decoded(live, 'password');
  if (password === undefined || password === '') {
    throw new SecretIncompleteError({
      code: 'secret-incomplete',
      message: `Secret ${secret.namespace}/${secret.name} has no key "password"`,
      hint: 'add it, or delete the Secret: then one is made with a generated password',
    });
  }
  return password;
}

/** Resolves with whether it was us who made it. */
async function make(
  secret: SecretWanted,
  password: string,
  labels: Record<string, string>,
  { client, put, signal }: SecretsContext,
): Promise<boolean> {
  try {
    const made = await client.create(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secret.name, namespace: secret.namespace, labels },
        type: 'Opaque',
        data: { username: encode(secret.username), password: encode(password) },
      },
      signal,
    );
    put('Secret', made);
    return true;
  } catch (error) {
    if (error instanceof ApiConflictError) return false;
    throw error;
  }
}
