import { readFile } from 'node:fs/promises';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessId {
  pid: number;
  /** Start time in clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: string;
}

/** Start time of a living process; undefined when there is none, or only a zombie. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses itself: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await startTimeOf(id.pid)) === id.startTime;
}
