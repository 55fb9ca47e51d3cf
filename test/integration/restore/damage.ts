/** Damage to files of a repository, as disks and people do it, and its undo. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Turns one byte in the middle of a file around. */
export function flip(path: string): void {
  const at = Math.floor(statSync(path).size / 2);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 0xff);
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Files below a directory whose path fits. */
export function filesOf(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => pattern.test(path))
    .sort();
}

/** Runs `body` on a directory that is put back afterwards as it was. */
export async function spoiled(
  directory: string,
  spoil: () => void,
  body: () => Promise<void>,
): Promise<void> {
  const copy = `${directory}.whole`;
  // With owners: it is the servers' user that reads it.
  execFileSync('cp', ['--archive', directory, copy]);
  try {
    spoil();
    await body();
  } finally {
    rmSync(directory, { recursive: true });
    renameSync(copy, directory);
  }
}
