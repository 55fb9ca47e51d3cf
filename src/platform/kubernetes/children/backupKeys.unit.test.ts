import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { newSshKey } from '../../../lib/sshKey.ts';
import type { LiveObject } from '../api/kinds.ts';
import { backupKeysOf } from './backupKeys.ts';
import { encode } from './secrets.ts';

const good = { key: 'secret words', 'host-key': newSshKey(), 'client-key': newSshKey() };

function secret(change: Partial<typeof good> = {}): LiveObject {
  const data = Object.fromEntries(
    Object.entries({ ...good, ...change }).map(([key, text]) => [key, encode(text)]),
  );
  const metadata = { name: 'demo-backup-key', uid: 's', resourceVersion: '1' };
  return { apiVersion: 'v1', kind: 'Secret', metadata, data };
}

test('a Secret that people made beforehand is taken as it is', () => {
  const keys = backupKeysOf(secret({ key: 'of elsewhere\n' }), 'school/demo-backup-key');
  expect(keys.passphrase).toBe('of elsewhere');
  expect(keys.hostFingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(keys.clientLine).toMatch(/^ecdsa-sha2-nistp256 /);
});

test.each([
  ['no key', 'host-key', 'rubbish'],
  [
    'a key of another kind',
    'client-key',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ],
  ['an empty passphrase', 'key', ' '],
])('%s is named, and not printed', (_, key, text) => {
  const read = () => backupKeysOf(secret({ [key]: text }), 'school/demo-backup-key');
  expect(read).toThrow(
    expect.objectContaining({ code: 'secret-incomplete', message: expect.stringContaining(`"${key}"`) }),
  );
  expect(read).not.toThrow(
    expect.objectContaining({ message: expect.stringContaining(text.trim() || 'rubbish') }),
  );
});
