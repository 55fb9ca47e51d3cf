import { describe, expect, it } from 'vitest';
import { chooseMajor, compareVersions, patroniObjection, versionIn } from './versions.ts';

describe('versionIn', () => {
  it.each([
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['postgres (PostgreSQL) 18beta2', '18beta2'],
    [
      'etcd Version: 3.4.23\nGit SHA: Not provided (use ./build instead of go build)\nGo Version: go1.19.8',
      '3.4.23',
    ],
    ['PgBouncer 1.18.0\nlibevent 2.1.12-stable', '1.18.0'],
    ['HAProxy version 2.6.12-1+deb12u4 2026/05/01 - https://haproxy.org/', '2.6.12'],
    ['tini version 0.19.0', '0.19.0'],
    ['flock from util-linux 2.38.1', '2.38.1'],
    ['OpenSSL 3.0.19 1 Aug 2026 (Library: OpenSSL 3.0.19 1 Aug 2026)', '3.0.19'],
    ['patroni 4.0.7', '4.0.7'],
    ['4.0.7-3~deb13u1', '4.0.7'],
    ['no number here, v2 is a word', undefined],
  ])('%j', (text, version) => expect(versionIn(text)).toBe(version));
});

describe('compareVersions', () => {
  it('goes by numbers, not letters', () => {
    expect(compareVersions('3.0.10', '3.0.9')).toBeGreaterThan(0);
    expect(compareVersions('4.0', '4.0.0')).toBe(0);
    expect(compareVersions('3.4', '3.4.1')).toBeLessThan(0);
  });
});

describe('chooseMajor', () => {
  it('takes the wanted major where it is installed or can be', () => {
    expect(chooseMajor(16, [15, 16], [])).toEqual({ major: 16, wantedMissing: false });
    expect(chooseMajor(16, [15], [16, 17])).toEqual({ major: 16, wantedMissing: false });
  });
  it('takes the newest otherwise, and says so', () => {
    expect(chooseMajor(16, [15], [])).toEqual({ major: 15, wantedMissing: true });
    expect(chooseMajor(16, [], [15, 17])).toEqual({ major: 17, wantedMissing: true });
    expect(chooseMajor(16, [], [])).toEqual({ major: undefined, wantedMissing: true });
  });
  it('prefers what is installed when nothing is wanted', () => {
    expect(chooseMajor(undefined, [13, 15], [17])).toEqual({ major: 15, wantedMissing: false });
    expect(chooseMajor(undefined, [], [17])).toEqual({ major: 17, wantedMissing: false });
  });
});

describe('patroniObjection', () => {
  it('refuses the versions that lose writes, with the reason', () => {
    expect(patroniObjection('3.0.2')).toContain('lose acknowledged writes');
    expect(patroniObjection('2.1.4')).toContain('lose acknowledged writes');
  });
  it('takes Patroni 4 only', () => {
    expect(patroniObjection('3.3.0')).toBeDefined();
    expect(patroniObjection('5.0.0')).toBeDefined();
    expect(patroniObjection('4.0.0')).toBeUndefined();
    expect(patroniObjection('4.1.4')).toBeUndefined();
  });
});
