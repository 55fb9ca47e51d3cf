/** The processes of a cluster, found through /proc and known by pid and start time. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf, PgherdError } from '../../../lib/errors.ts';
import { readIfExists } from '../../../lib/files.ts';
import { isAlive, lockHolder, type ProcessId, startTimeOf } from '../../../lib/process.ts';
import { poll } from '../../../lib/time.ts';
import type { Paths } from '../layout.ts';
import { RUNNING_LOCK } from '../runit.ts';

export interface FoundProcess extends ProcessId {
  parent: number;
  /** Arguments, joined by spaces; PostgreSQL's processes write their title there. */
  title: string;
}

/** The process that runs now under this number; undefined when none does. */
export async function identify(pid: number | undefined): Promise<ProcessId | undefined> {
  if (pid === undefined || !(pid > 1)) return undefined;
  const startTime = await startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export async function allProcesses(): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(describe))).filter(found => found !== undefined);
}

async function describe(pid: number): Promise<FoundProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent] = fields;
    const startTime = fields[19];
    if (state === 'Z' || state === 'X' || startTime === undefined) return undefined;
    const title = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
    return { pid, startTime, parent: Number(parent), title };
  } catch {
    // It has ended in the meantime.
    return undefined;
  }
}

/** The processes given and everything below them. */
export function withDescendants(roots: number[], all: FoundProcess[]): FoundProcess[] {
  const found = new Map(all.filter(one => roots.includes(one.pid)).map(one => [one.pid, one]));
  for (let before = -1; found.size > before; ) {
    before = found.size;
    for (const one of all) if (found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()];
}

/** PostgreSQL's first process of a member, by the file it keeps in its data directory; undefined: it does not run. */
export async function postmasterOf(paths: Paths, member: string): Promise<ProcessId | undefined> {
  const data = join(paths.data, member, 'pgdata');
  const text = (await readIfExists(join(data, 'postmaster.pid'))) ?? '';
  const id = await identify(Number.parseInt(text, 10));
  if (id === undefined) return undefined;
  // A file that a crash left behind may name another process by now.
  const command = (await readIfExists(`/proc/${id.pid}/cmdline`)) ?? '';
  return command.includes(data) && (await isAlive(id)) ? id : undefined;
}

/** The server of a service and what waits to take its place, as far as they run. */
export async function serviceProcesses(paths: Paths, service: string): Promise<ProcessId[]> {
  const directory = join(paths.services, service);
  const watched = Number((await readIfExists(join(directory, 'supervise', 'pid'))) ?? '');
  const holder = await lockHolder(join(directory, RUNNING_LOCK));
  const ids = await Promise.all([...new Set([watched, holder])].map(identify));
  return ids.filter(id => id !== undefined);
}

/** runit's own processes (runsv, svlogd) whose working directory is one of these or below. */
export async function supervisorsAt(places: string[], all: FoundProcess[]): Promise<FoundProcess[]> {
  const candidates = all.filter(({ title }) => SUPERVISORS.has(basename(title.split(' ')[0] ?? '')));
  const directories = await Promise.all(candidates.map(({ pid }) => workingDirectory(pid)));
  return candidates.filter((_, n) => {
    const directory = directories[n] ?? '';
    return places.some(place => directory === place || directory.startsWith(`${place}/`));
  });
}

const SUPERVISORS = new Set(['runsvdir', 'runsv', 'svlogd']);

/** A process noted by `DetachedProcess`; undefined when it does not run. */
export async function notedProcess(file: string): Promise<ProcessId | undefined> {
  try {
    const { pid, startTime } = JSON.parse((await readIfExists(file)) ?? '{}') as Partial<ProcessId>;
    if (pid === undefined || startTime === undefined) return undefined;
    return (await isAlive({ pid, startTime })) ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

/** Without this process and those above it: a fault must not end who injects it. */
export function withoutOurselves(chosen: FoundProcess[], all: FoundProcess[]): FoundProcess[] {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const own = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined; pid = parents.get(pid)) own.add(pid);
  return chosen.filter(({ pid }) => !own.has(pid));
}

async function workingDirectory(pid: number): Promise<string> {
  return await readlink(`/proc/${pid}/cwd`).catch(() => '');
}

/**
 * Sends the signal to all that still run, checked first and then hit without a pause: what belongs together ends
 * together. Resolves with how many were hit.
 */
export async function send(ids: ProcessId[], signal: NodeJS.Signals): Promise<number> {
  const alive = await Promise.all(ids.map(isAlive));
  let sent = 0;
  for (const { pid } of ids.filter((_, n) => alive[n])) {
    try {
      process.kill(pid, signal);
      sent += 1;
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
  return sent;
}

/** Waits until none of them runs. Rejects with a PgherdError that names those that do. */
export async function untilGone(ids: ProcessId[], what: string, signal: AbortSignal): Promise<void> {
  await poll(
    async () => {
      const alive = await Promise.all(ids.map(isAlive));
      const left = ids.filter((_, n) => alive[n]).map(({ pid }) => pid);
      if (left.length === 0) return true;
      throw new PgherdError({ code: 'still-running', message: `still running: ${left.join(', ')}` });
    },
    { what, timeoutMs: 10_000, everyMs: 10, signal },
  );
}
