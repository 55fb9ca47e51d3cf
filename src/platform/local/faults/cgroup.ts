/** The kernel's freezer, version 1 (`freezer.state`) or 2 (`cgroup.freeze`): all processes of a group at once. */
import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../lib/errors.ts';
import { readIfExists } from '../../../lib/files.ts';
import { poll } from '../../../lib/time.ts';

const FREEZE_MS = 10_000;

/** Where groups can be made. */
export interface Freezer {
  /** Mount point of the hierarchy. */
  root: string;
  version: 1 | 2;
}

/**
 * The mount points of a text like /proc/mounts that may have a freezer. Version 2 first: what it holds can still be
 * killed, what version 1 holds cannot.
 */
export function freezersIn(mounts: string): Freezer[] {
  const found: Freezer[] = [];
  for (const line of mounts.split('\n')) {
    const [, root = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup' && options.split(',').includes('freezer')) found.push({ root, version: 1 });
    if (type === 'cgroup2') found.push({ root, version: 2 });
  }
  return found.sort((a, b) => b.version - a.version);
}

/** A freezer in which this process may make groups; undefined: there is none. Leaves nothing behind. */
export async function usableFreezer(): Promise<Freezer | undefined> {
  for (const freezer of freezersIn((await readIfExists('/proc/mounts')) ?? '')) {
    const probe = join(freezer.root, `pgherd-probe-${process.pid}`);
    try {
      await mkdir(probe);
      try {
        await access(stateFile(probe, freezer.version), constants.W_OK);
        return freezer;
      } finally {
        await rmdir(probe);
      }
    } catch {
      // Not root, read-only as in most containers, or without a freezer.
    }
  }
  return undefined;
}

/** The group a process is in now, in this hierarchy. */
export async function groupOf(pid: number, { root, version }: Freezer): Promise<string> {
  const lines = ((await readIfExists(`/proc/${pid}/cgroup`)) ?? '').split('\n');
  const own = lines
    .map(line => line.split(':'))
    .find(([id, controllers = '']) =>
      version === 2 ? id === '0' : controllers.split(',').includes('freezer'),
    );
  const group = join(root, own?.slice(2).join(':') ?? '');
  // In a container the path may be one of the machine outside.
  return (await isGroup(group)) ? group : root;
}

/** Moves processes into a group; resolves when none that `find` names is outside. */
export async function gather(
  group: string,
  find: () => Promise<number[]>,
  signal: AbortSignal,
): Promise<void> {
  await poll(
    async () => {
      const inside = await processesIn(group);
      const outside = (await find()).filter(pid => !inside.includes(pid));
      for (const pid of outside) await move(pid, group);
      return outside.length === 0 ? true : undefined;
    },
    { what: `the processes to be in ${group}`, timeoutMs: FREEZE_MS, everyMs: 1, signal },
  );
}

export async function makeGroup(group: string): Promise<void> {
  await mkdir(group);
}

/** Resolves when every process of the group stands still. `done` is called when the kernel was told. */
export async function freeze(
  group: string,
  version: 1 | 2,
  done: () => void,
  signal: AbortSignal,
): Promise<void> {
  await writeFile(stateFile(group, version), version === 1 ? 'FROZEN' : '1');
  done();
  await poll(async () => ((await isFrozen(group, version)) ? true : undefined), {
    what: `${group} to be frozen`,
    timeoutMs: FREEZE_MS,
    everyMs: 2,
    signal,
  });
}

/** Lets the group go on, moves its processes home and removes it. Resolves with how many there were; undefined: no such group. */
export async function thaw(group: string, home: string, signal: AbortSignal): Promise<number | undefined> {
  if (!(await isGroup(group))) return undefined;
  const version = (await readIfExists(stateFile(group, 1))) === undefined ? 2 : 1;
  await writeFile(stateFile(group, version), version === 1 ? 'THAWED' : '0');
  const target = (await isGroup(home)) ? home : join(group, '..');
  let moved = 0;
  await poll(
    async () => {
      for (const pid of await processesIn(group)) moved += (await move(pid, target)) ? 1 : 0;
      // Busy while somebody is in there, or has just left.
      await rmdir(group).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
      return true;
    },
    { what: `${group} to be empty`, timeoutMs: FREEZE_MS, everyMs: 5, signal },
  );
  return moved;
}

export async function isGroup(group: string): Promise<boolean> {
  return (await readIfExists(join(group, 'cgroup.procs'))) !== undefined;
}

async function processesIn(group: string): Promise<number[]> {
  const text = await readFile(join(group, 'cgroup.procs'), 'utf8');
  return text.split('\n').filter(Boolean).map(Number);
}

/** False when the process has ended. */
async function move(pid: number, group: string): Promise<boolean> {
  try {
    await writeFile(join(group, 'cgroup.procs'), String(pid));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

async function isFrozen(group: string, version: 1 | 2): Promise<boolean> {
  if (version === 1) return (await readFile(stateFile(group, 1), 'utf8')).trim() === 'FROZEN';
  return /^frozen 1$/m.test(await readFile(join(group, 'cgroup.events'), 'utf8'));
}

function stateFile(group: string, version: 1 | 2): string {
  return join(group, version === 1 ? 'freezer.state' : 'cgroup.freeze');
}
