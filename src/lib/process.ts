import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { codeOf } from './errors.ts';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessId {
  pid: number;
  /** Start time in clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: string;
}

/** Start time of a living process; undefined when there is none, or only a zombie. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  return statOf(pid)?.startTime;
}

/** What /proc/PID/stat says of a living process: field 22, and whether PF_EXITING is among the flags (field 9). */
function statOf(pid: number): { startTime: string | undefined; exiting: boolean } | undefined {
  try {
    // The kernel has it in memory. A turn of another thread took 3 ms and more while a server died, five turns a file.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses itself: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { startTime: fields[19], exiting: (Number(fields[6]) & PF_EXITING) !== 0 };
  } catch (error) {
    // Whoever could not look does not know that it has ended.
    if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(codeOf(error) ?? '')) throw error;
    return undefined;
  }
}

/** Linux, include/linux/sched.h. */
const PF_EXITING = 0x4;

/** /proc counts process starts in these ticks after the boot; Linux shows 100 a second to programs everywhere. */
const TICKS_PER_SECOND = 100;

/** When a living process started; undefined when there is none. Exact to a second, as the boot time is. */
export async function startedAt(pid: number): Promise<Date | undefined> {
  const ticks = await startTimeOf(pid);
  const boot = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
  if (ticks === undefined || boot === undefined) return undefined;
  return new Date((Number(boot) + Number(ticks) / TICKS_PER_SECOND) * 1000);
}

/** A living process with exactly these arguments; undefined: there is none. */
export async function findProcess(argv: readonly string[]): Promise<ProcessId | undefined> {
  const wanted = argv.map(word => `${word}\0`).join('');
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const found = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const pid = Number(name);
    const startTime = found === wanted ? await startTimeOf(pid) : undefined;
    if (startTime !== undefined) return { pid, startTime };
  }
  return undefined;
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await startTimeOf(id.pid)) === id.startTime;
}

/** Ending: it does nothing of its own any more, but the kernel is still taking it down. */
export function lifeOf({ pid, startTime }: ProcessId): 'running' | 'ending' | 'gone' {
  const found = statOf(pid);
  if (found?.startTime !== startTime) return 'gone';
  return found.exiting ? 'ending' : 'running';
}

/**
 * The living process that holds a kernel lock (flock) on a file, by /proc/locks; undefined when nobody does. The
 * lock may have been passed on by exec: the pid stays.
 */
export async function lockHolder(path: string): Promise<number | undefined> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) return undefined;
  // "7: FLOCK  ADVISORY  WRITE 4711 fe:00:2211892 0 EOF"; one that waits has "->" after the number.
  const locks = (await readFile('/proc/locks', 'utf8')).split('\n').map(line => line.trim().split(/\s+/));
  const named = locks.filter(
    ([, type, , , , place]) => type === 'FLOCK' && place?.endsWith(`:${file.ino}`) === true,
  );
  // Overlay and btrfs show another device here than stat does: there the inode has to do.
  const exact = named.filter(([, , , , , place]) => onDevice(place ?? '', file.dev));
  for (const [, , , , pid] of exact.length > 0 ? exact : named) {
    if ((await startTimeOf(Number(pid))) !== undefined) return Number(pid);
  }
  return undefined;
}

/** Compares "fe:00:INODE" with st_dev, whose low 8 and high 12 bits are the minor number, and 12 between the major. */
function onDevice(place: string, dev: number): boolean {
  const [major = '', minor = ''] = place.split(':');
  return (
    Number.parseInt(major, 16) === ((dev >> 8) & 0xfff) &&
    Number.parseInt(minor, 16) === ((dev & 0xff) | ((dev >> 12) & ~0xff))
  );
}
