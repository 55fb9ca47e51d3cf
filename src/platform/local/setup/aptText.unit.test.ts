import { describe, expect, it } from 'vitest';
import { majorsAmong, parseMirrors, parsePolicy, parseUpgrades, progressOf } from './aptText.ts';

describe('parsePolicy', () => {
  it('reads what is installed and what could be', () => {
    const text = `postgresql-15:
  Installed: 15.18-0+deb12u1
  Candidate: 15.20-0+deb12u1
  Version table:
     15.20-0+deb12u1 500
        500 http://deb.example.org/debian-security bookworm-security/main amd64 Packages
 *** 15.18-0+deb12u1 500
        100 /var/lib/dpkg/status
etcd-server:
  Installed: (none)
  Candidate: 3.4.23-4+b4
  Version table:
     3.4.23-4+b4 500
virtual:
  Installed: (none)
  Candidate: (none)
  Version table:
`;
    expect(Object.fromEntries(parsePolicy(text))).toEqual({
      'postgresql-15': { installed: '15.18-0+deb12u1', candidate: '15.20-0+deb12u1' },
      'etcd-server': { installed: undefined, candidate: '3.4.23-4+b4' },
      virtual: { installed: undefined, candidate: undefined },
    });
    expect(parsePolicy('')).toEqual(new Map());
  });
});

describe('majorsAmong', () => {
  it('leaves extensions and other packages alone', () => {
    expect(
      majorsAmong(['postgresql-15', 'postgresql-15-cron', 'postgresql-common', 'postgresql-9.6']),
    ).toEqual([15]);
  });
});

describe('parseMirrors', () => {
  it('takes main archives of Debian, each once, in order', () => {
    const text = `Packages|Debian|Debian|main|http://mirror.example.org/debian/
Packages|Debian|Debian|main|http://mirror.example.org/debian/
Translations|Debian|Debian|main|http://other.example.org/debian/
Packages|Debian|Debian-Security|main|http://mirror.example.org/debian-security/
Packages|apt.postgresql.org|PGDG|main|http://pgdg.example.org/pub/
Packages|Debian|Debian|main|cdrom:[Debian GNU-Linux 12]/
Packages|Debian|Debian|main|https://second.example.org/debian
`;
    expect(parseMirrors(text)).toEqual([
      'http://mirror.example.org/debian',
      'https://second.example.org/debian',
    ]);
  });
});

describe('parseUpgrades', () => {
  it('tells upgrades from new packages', () => {
    const text = `Inst libpq5 [15.1-0] (15.20-0+deb12u1 Debian:12.15/oldstable [amd64])
Inst tini (0.19.0-1+b3 Debian:12.15/oldstable [amd64])
Conf libpq5 (15.20-0+deb12u1 Debian:12.15/oldstable [amd64])
`;
    expect(parseUpgrades(text)).toEqual([{ name: 'libpq5', change: 'libpq5 15.1-0 -> 15.20-0+deb12u1' }]);
  });
});

describe('progressOf', () => {
  it.each([
    [
      'Get:3 http://deb.example.org/debian bookworm/main amd64 haproxy amd64 2.6.12 [2,000 kB]',
      'fetching haproxy',
    ],
    ['Unpacking libc-ares2:amd64 (1.18.1-3) ...', 'unpacking libc-ares2'],
    ['Setting up tini (0.19.0-1+b3) ...', 'setting up tini'],
    [
      'Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 123 (apt-get)...',
      'waiting for process 123 (apt-get), which holds the package lock',
    ],
    ['Reading package lists...', undefined],
  ])('%j', (line, message) => expect(progressOf(line)).toBe(message));
});
