/** A file system of a fixed size in a file, as a share that can fill up, be lost, or be read-only. */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class SmallDisk {
  readonly path: string;
  readonly #image: string;

  constructor(root: string, megabytes: number) {
    this.path = join(root, 'share');
    this.#image = join(root, 'share.img');
    mkdirSync(this.path);
    const file = openSync(this.#image, 'w');
    ftruncateSync(file, megabytes * 1024 * 1024);
    closeSync(file);
    execFileSync('/sbin/mkfs.ext4', ['-q', '-m', '0', this.#image]);
  }

  mount(): void {
    execFileSync('/bin/mount', ['-o', 'loop', this.#image, this.path]);
  }

  /** Those who use it keep what they have open; nobody finds it any more. */
  unmount(): void {
    execFileSync('/bin/umount', ['--lazy', this.path]);
  }

  /** Leaves room for nothing. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.path);
    const free = bavail * bsize;
    for (let bytes = free; bytes >= 4096; bytes = Math.floor(bytes / 2)) {
      try {
        writeFileSync(join(this.path, `ballast-${bytes}`), Buffer.alloc(bytes));
      } catch {
        rmSync(join(this.path, `ballast-${bytes}`), { force: true });
      }
    }
  }

  empty(): void {
    execFileSync('/bin/sh', ['-c', 'rm -f "$1"/ballast-*', 'sh', this.path]);
  }

  remove(): void {
    try {
      this.unmount();
    } catch {
      // It was not mounted.
    }
    rmSync(this.#image, { force: true });
  }
}

/** Why there can be none here; undefined: there can. */
export function noSmallDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount';
  try {
    execFileSync('/sbin/losetup', ['--find'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this machine has no loop devices';
  }
}
