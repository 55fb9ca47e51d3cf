import { expect, test } from 'vitest';
import { newSshKey, sshFingerprint, sshPublicLine } from './sshKey.ts';

/** Of `ssh-keygen -t ecdsa -b 256 -m PEM`, made for this test and used nowhere. */
const KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICZURgMe38w98EvG+pVTmqvl0fJwOUek9l/nYMhW5lAloAoGCCqGSM49
AwEHoUQDQgAEYXCaNzOrnClIwxBxlC70VPisBmIFTxjyyshMUdFXAD6ZK98yI5XW
pbUJGyZzseDnf2XrZnGCntLQtJCOJ8qOmA==
-----END EC PRIVATE KEY-----
`;

test('public line and fingerprint are those that ssh-keygen prints', () => {
  expect(sshPublicLine(KEY)).toBe(
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGFwmjczq5wpSMMQcZQu9FT4rAZiBU8Y8srITFHRVwA+mSvfMiOV1qW1CRsmc7Hg539l62Zxgp7S0LSQjifKjpg=',
  );
  expect(sshFingerprint(KEY)).toBe('1f7ac8e781ed91598bd0013b8ad4a1eda8c90ae15cbc7a982443845089f50894');
});

test('each new key is another one', () => {
  expect(sshPublicLine(newSshKey())).not.toBe(sshPublicLine(newSshKey()));
});
