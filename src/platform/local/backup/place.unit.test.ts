import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lookAtPlace, mountOf, tryPlace } from './place.ts';

const MOUNTS = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 22 0:36 / /mnt/share rw,relatime shared:20 - cifs //nas/backups rw,vers=3.1.1
41 22 0:37 / /mnt/share\\040two rw,relatime - nfs4 nas:/export rw
42 40 0:38 / /mnt/share rw,relatime - ext4 /dev/vdb rw
43 22 0:39 / /tmp rw master:3 propagate_from:2 - tmpfs tmpfs rw
`;

describe('the mount of a path', () => {
  test.each([
    ['/var/lib', '/', 'ext4'],
    ['/mnt/share/pg', '/mnt/share', 'ext4'],
    ['/mnt/sharex', '/', 'ext4'],
    ['/mnt/share two/pg', '/mnt/share two', 'nfs4'],
    ['/tmp', '/tmp', 'tmpfs'],
  ])('%s: %s, %s', (path, point, type) => {
    expect(mountOf(path, MOUNTS)).toEqual({ point, type });
  });

  test('one that lies over another hides it', () => {
    const under = MOUNTS.split('\n').filter(line => !line.startsWith('42'));
    expect(mountOf('/mnt/share', under.join('\n'))?.type).toBe('cifs');
  });
});

describe('a place', () => {
  const signal = AbortSignal.timeout(30_000);
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pgh-place-'));
  });
  afterEach(() => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
  });

  test('is looked at, and tried, and left as it was', async () => {
    symlinkSync(directory, join(directory, 'link'));
    const facts = await lookAtPlace(join(directory, 'link'), signal);
    expect(facts.fileSystem).not.toBe('unknown');
    expect(facts.freeBytes).toBeGreaterThan(0);
    await tryPlace(directory);
    expect(readdirSync(directory)).toEqual(['link']);
  });

  test('that is not there, or is a file, is refused', async () => {
    writeFileSync(join(directory, 'file'), '');
    const look = (name: string) => lookAtPlace(join(directory, name), signal);
    await expect(look('none')).rejects.toMatchObject({
      code: 'backup-place-unfit',
      message: expect.stringContaining('not there'),
    });
    await expect(look('file')).rejects.toMatchObject({ message: expect.stringContaining('no directory') });
  });

  test.skipIf(process.getuid?.() === 0)('that may not be written to is refused', async () => {
    chmodSync(directory, 0o500);
    await expect(tryPlace(directory)).rejects.toMatchObject({ message: expect.stringContaining('EACCES') });
  });

  test('that cannot be written to, as /proc cannot, is refused', async () => {
    await expect(tryPlace('/proc')).rejects.toMatchObject({ code: 'backup-place-unfit' });
  });
});
