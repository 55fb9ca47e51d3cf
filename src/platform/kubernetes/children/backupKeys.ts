import { randomBytes } from 'node:crypto';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { newSshKey, sshFingerprint, sshPublicLine } from '../../../lib/sshKey.ts';
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { BackupKeys, BucketCredentials } from '../objects/index.ts';
import { backupKeysName } from '../objects/names.ts';
import { decoded, encode, SecretIncompleteError, type SecretsContext } from './secrets.ts';

/** Keys of the Secret. */
export const BACKUP_KEY = 'key';
const HOST_KEY = 'host-key';
const CLIENT_KEY = 'client-key';

/** 256 bits, in letters and digits that survive being copied by hand. */
const KEY_BYTES = 32;

/**
 * Reads the keys of a cluster's backups, and makes what is missing of them. The Secret belongs to nobody: repositories
 * of a deleted cluster are of no use without it. One that people made beforehand, to read backups of elsewhere, is
 * taken as it is.
 */
export async function ensureBackupKeys(
  { namespace, name: cluster }: { namespace: string; name: string },
  labels: Record<string, string>,
  context: SecretsContext,
): Promise<BackupKeys> {
  const name = backupKeysName(cluster);
  let live = context.find('Secret', namespace, name);
  live ??= await context.client.get({ kind: 'Secret', namespace, name }, context.signal);
  const known = live === undefined ? {} : ((live.data ?? {}) as Record<string, string>);
  const missing: Record<string, string> = {};
  if (known[BACKUP_KEY] === undefined) missing[BACKUP_KEY] = encode(newPassphrase());
  for (const key of [HOST_KEY, CLIENT_KEY]) if (known[key] === undefined) missing[key] = encode(newSshKey());
  if (Object.keys(missing).length > 0)
    live = await write(live, { namespace, name, labels }, missing, context);
  return backupKeysOf(live, `${namespace}/${name}`);
}

/** @param place of the Secret, for sentences. Throws SecretIncompleteError where it cannot be used. */
export function backupKeysOf(secret: LiveObject | undefined, place: string): BackupKeys {
  const passphrase = (decoded(secret, BACKUP_KEY) ?? '').trim();
  const hostKey = decoded(secret, HOST_KEY) ?? '';
  const clientKey = decoded(secret, CLIENT_KEY) ?? '';
  const hint =
    'correct it; without that key of the Secret a new one is made, which reads no backup of before';
  if (passphrase === '') {
    const message = `Secret ${place} has an empty "${BACKUP_KEY}"`;
    throw new SecretIncompleteError({ code: 'secret-incomplete', message, hint });
  }
  const [hostFingerprint, clientLine] = [
    sshPart(HOST_KEY, () => sshFingerprint(hostKey), place),
    sshPart(CLIENT_KEY, () => sshPublicLine(clientKey), place),
  ];
  return { passphrase, hostKey, clientKey, hostFingerprint, clientLine };
}

function sshPart(key: string, read: () => string, place: string): string {
  try {
    return read();
  } catch {
    throw new SecretIncompleteError({
      code: 'secret-incomplete',
      message: `Secret ${place} has no private key (ECDSA, P-256, PEM) under "${key}"`,
      hint: 'correct it, or take it out of the Secret: then one is made',
    });
  }
}

async function write(
  live: LiveObject | undefined,
  { namespace, name, labels }: { namespace: string; name: string; labels: Record<string, string> },
  data: Record<string, string>,
  { client, put, signal }: SecretsContext,
): Promise<LiveObject | undefined> {
  if (live !== undefined) {
    // Of two that see it incomplete only one succeeds.
    const { resourceVersion } = live.metadata;
    return await client.merge(
      { kind: 'Secret', namespace, name },
      { metadata: { resourceVersion }, data },
      signal,
    );
  }
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels },
    type: 'Opaque',
    data,
  };
  try {
    const made = await client.create(object, signal);
    put('Secret', made);
    return made;
  } catch (error) {
    if (!(error instanceof ApiConflictError)) throw error;
    return await client.get({ kind: 'Secret', namespace, name }, signal);
  }
}

export function newPassphrase(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

/** Credentials of buckets by repository, and what is wrong with those that are not among them. */
export async function readBuckets(
  spec: ClusterSpec,
  namespace: string,
  { client, find, signal }: SecretsContext,
): Promise<{ buckets: Map<string, BucketCredentials>; problems: string[] }> {
  const buckets = new Map<string, BucketCredentials>();
  const problems: string[] = [];
  for (const repository of spec.backup.repositories) {
    if (repository.kind !== 's3' || repository.credentialsSecret === undefined) continue;
    const name = repository.credentialsSecret;
    // People's own Secrets lack the label we watch by.
    const live =
      find('Secret', namespace, name) ?? (await client.get({ kind: 'Secret', namespace, name }, signal));
    const key = decoded(live, 'key')?.trim();
    const secret = decoded(live, 'secret')?.trim();
    if (key && secret) buckets.set(repository.name, { key, secret, authority: decoded(live, 'ca.crt') });
    else {
      const what = live === undefined ? 'is not there' : 'lacks the keys "key" and "secret"';
      problems.push(`Secret ${name} with the credentials of the repository ${repository.name} ${what}`);
    }
  }
  return { buckets, problems };
}
