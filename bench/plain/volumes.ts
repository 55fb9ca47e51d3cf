/** The volumes of a baseline's hosts: images of the same kind as those of pgherd's isolated members. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/lib/exec.ts';
import type { IsolationPrograms } from '../../src/platform/local/setup/index.ts';
import { makeImage, mount, mountsBelow, unmount, volumeSize } from '../../src/platform/local/volumes.ts';
import { HOSTS, homeOf, volumeOf } from './layout.ts';

const COMMAND_MS = 10_000;
const RELEASE_MS = 60_000;

/** Makes and mounts one for each host; their homes must be there. */
export async function makeVolumes(
  programs: IsolationPrograms,
  directory: string,
  owner: { uid: number; gid: number },
  signal: AbortSignal,
): Promise<void> {
  for (const host of HOSTS) {
    const image = join(homeOf(directory, host), 'volume.img');
    const volume = volumeOf(directory, host);
    await makeImage(programs, image, { bytes: volumeSize(0), owner }, signal);
    mkdirSync(volume);
    await mount(programs, image, volume, signal);
  }
}

/** Has all that are mounted below go on: whoever waits for a hung one does not end before. */
export async function thawVolumes(directory: string): Promise<void> {
  for (const volume of await volumesBelow(directory)) await thaw(volume);
}

/** Unmounts all that are mounted below. Whoever used them must have ended. */
export async function releaseVolumes(programs: IsolationPrograms, directory: string): Promise<void> {
  const signal = AbortSignal.timeout(RELEASE_MS);
  for (const volume of await volumesBelow(directory)) await unmount(programs, volume, signal);
}

async function volumesBelow(directory: string): Promise<string[]> {
  return (await Promise.all(HOSTS.map(host => mountsBelow(homeOf(directory, host))))).flat();
}

/** As a disk that does not answer any more: whoever writes waits in the kernel. */
export async function freeze(volume: string): Promise<void> {
  const limit = { timeoutMs: COMMAND_MS, signal: AbortSignal.timeout(COMMAND_MS) };
  try {
    await run(['fsfreeze', '--freeze', volume], limit);
  } catch (error) {
    // It may come to pass yet.
    await thaw(volume);
    throw error;
  }
}

/** What is not frozen is fine. */
export async function thaw(volume: string): Promise<void> {
  await run(['fsfreeze', '--unfreeze', volume], {
    timeoutMs: COMMAND_MS,
    signal: AbortSignal.timeout(COMMAND_MS),
    okCodes: [0, 1],
  });
}
