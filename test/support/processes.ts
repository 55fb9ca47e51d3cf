/** Processes of one state directory, found through /proc. Synchronous, so that it works at exit as well. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessInfo {
  pid: number;
  /** Clock ticks since boot: tells a process from a later one with the same pid. */
  startTime: string;
  parent: number;
  uid: number;
  /** First word of its arguments, without the directory. */
  name: string;
  command: string;
}

/**
 * Everything that runs for a state directory: its path is in the arguments, the program, the working directory,
 * an open file, or in the environment of a pgherd command. The caller itself is left out.
 */
export function processesOf(directory: string): ProcessInfo[] {
  return allPids()
    .filter(pid => pid !== process.pid && belongs(pid, directory))
    .map(describe)
    .filter(info => info !== undefined);
}

/** The servers that live long: no sessions, no helpers that come and go. By their pid and start time. */
export function serversOf(directory: string): ProcessInfo[] {
  const servers = /^(tini|runsvdir|runsv|svlogd|etcd|python3|postgres|pgbouncer|haproxy|node)$/;
  return processesOf(directory).filter(info => servers.test(info.name));
}

/** Identities of the servers, to be compared: a restarted one differs. */
export function identities(directory: string): string[] {
  return serversOf(directory)
    .map(({ pid, startTime, command }) => `${pid}/${startTime} ${command}`)
    .sort();
}

/** Sends the signal unless the pid belongs to another process by now. Returns whether it was sent. */
export function kill(
  target: Pick<ProcessInfo, 'pid' | 'startTime'>,
  signal: NodeJS.Signals = 'SIGKILL',
): boolean {
  if (target.pid <= 1 || startTimeOf(target.pid) !== target.startTime) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The process still runs and is no zombie. */
export function isAlive(target: Pick<ProcessInfo, 'pid' | 'startTime'>): boolean {
  return startTimeOf(target.pid) === target.startTime;
}

/** Kills everything of the directory, again and again until nothing is left. Returns what was found first. */
export function killAllOf(directory: string): ProcessInfo[] {
  const first = processesOf(directory);
  const until = Date.now() + 10_000;
  for (let found = first; found.length > 0 && Date.now() < until; found = processesOf(directory)) {
    // Supervisors first, so that they start nothing again.
    const rank = ({ name }: ProcessInfo) => ['node', 'tini', 'runsvdir', 'runsv'].indexOf(name) >>> 0;
    for (const info of found.sort((a, b) => rank(a) - rank(b))) kill(info);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return first;
}

function belongs(pid: number, directory: string): boolean {
  const inside = (path: string) => path === directory || path.startsWith(`${directory}/`);
  if (text(pid, 'cmdline').includes(directory)) return true;
  if (inside(link(pid, 'cwd')) || inside(link(pid, 'exe'))) return true;
  if (text(pid, 'environ').split('\0').includes(`PGHERD_STATE_DIR=${directory}`)) return true;
  return descriptors(pid).some(inside);
}

function describe(pid: number): ProcessInfo | undefined {
  const [state, parent] = statFields(pid);
  const startTime = startTimeOf(pid);
  if (startTime === undefined || state === undefined) return undefined;
  const argv = text(pid, 'cmdline').split('\0').filter(Boolean);
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(text(pid, 'status'))?.[1];
  const [program = ''] = argv;
  return {
    pid,
    startTime,
    parent: Number(parent),
    uid: Number(uid),
    name: program.slice(program.lastIndexOf('/') + 1),
    command: argv.join(' '),
  };
}

function startTimeOf(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields.length === 0 || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Fields of /proc/PID/stat from the third on: the name before them may hold spaces and parentheses. */
function statFields(pid: number): string[] {
  const stat = text(pid, 'stat');
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);
}

function text(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function link(pid: number, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`);
  } catch {
    return '';
  }
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map(fd => link(pid, `fd/${fd}`));
  } catch {
    return [];
  }
}
