/**
 * Servers run below runit: `tini -s` (a sub-reaper, so that a killed postmaster does not linger as a zombie that
 * Patroni takes for running) > runsvdir > one runsv per server > the server and its svlogd. They live on
 * without pgherd, and a server that dies is back within a second.
 */
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { lockHolder, startedAt } from '../../lib/process.ts';
import { poll, sleep } from '../../lib/time.ts';

export interface ServiceStatus {
  /** A runsv watches over it. */
  supervised: boolean;
  running: boolean;
  /** The server itself. It is an orphan when its runsv was killed and another one waits for its end. */
  pid: number | undefined;
  orphan: boolean;
  /** Time of the last start or stop. */
  since: string | undefined;
}

export interface ServiceScripts {
  run: string;
  log: string;
}

/**
 * Prefix of the commands of servers that need little and that all wait for: they come before their neighbours. Only root
 * may; where even root may not (containers), nice says so in the log and goes on.
 */
export const URGENT = process.getuid?.() === 0 ? 'nice -n -10 ' : '';

/**
 * Taken by the run script (chpst -l) and kept by the server for its whole life. Whoever holds it is the server,
 * whether runsv still knows it or not; a second start waits here until the first has ended.
 */
export const RUNNING_LOCK = 'running.lock';

/** Writes a service's scripts. A new service is made `down`, beside the place where runsvdir looks, and moved in. */
export async function writeService(services: string, name: string, scripts: ServiceScripts): Promise<void> {
  const directory = join(services, name);
  const isNew = (await readIfExists(join(directory, 'run'))) === undefined;
  const target = isNew ? join(services, `.${name}.new`) : directory;
  if (isNew) await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'log'), { recursive: true });
  await writeAtomically(join(target, 'run'), scripts.run, { mode: 0o755 });
  await writeAtomically(join(target, 'log', 'run'), scripts.log, { mode: 0o755 });
  if (!isNew) return;
  await writeAtomically(join(target, 'down'), '', { mode: 0o644 });
  await chmod(target, 0o755);
  await rename(target, directory);
}

/** runsvdir waits a second before it reads a directory that was changed within this very second: it was not. */
export async function backdate(services: string): Promise<void> {
  const earlier = new Date(Date.now() - 60_000);
  await utimes(services, earlier, earlier);
}

export async function listServices(services: string): Promise<string[]> {
  const names = await readdir(services).catch(() => []);
  return names.filter(name => !name.startsWith('.')).sort();
}

export async function serviceStatus(services: string, name: string): Promise<ServiceStatus> {
  const directory = join(services, name);
  const supervise = join(directory, 'supervise');
  const supervised = await hasReader(join(supervise, 'control'));
  const watched = Number(((await readIfExists(join(supervise, 'pid'))) ?? '').trim());
  const pid = (await lockHolder(join(directory, RUNNING_LOCK))) ?? (await serverOf(watched));
  return {
    supervised,
    running: pid !== undefined,
    pid,
    orphan: pid !== undefined && pid !== watched,
    // runit's own note changes with every command, also with one that finds nothing to do.
    since: (pid === undefined
      ? await lastChange(join(supervise, 'status'))
      : await startedAt(pid)
    )?.toISOString(),
  };
}

async function lastChange(path: string): Promise<Date | undefined> {
  return (await stat(path).catch(() => undefined))?.mtime;
}

/** The process that runsv watches, unless that is still the run script or a chpst that waits; for where /proc/locks is silent. */
async function serverOf(watched: number): Promise<number | undefined> {
  if (!(watched > 0)) return undefined;
  const name = ((await readIfExists(`/proc/${watched}/comm`)) ?? 'sh').trim();
  return ['sh', 'run', 'chpst', 'nice', 'nsenter', 'mountpoint'].includes(name) ? undefined : watched;
}

/** Starts a service, now and whenever runsvdir starts again. Waits until its process is there. */
export async function startService(services: string, name: string, signal: AbortSignal): Promise<void> {
  await rm(join(services, name, 'down'), { force: true });
  // A new directory is noticed within runsvdir's five seconds.
  await poll(async () => ((await control(services, name, 'u')) ? true : undefined), {
    what: `runit to take up the service ${name}`,
    timeoutMs: 10_000,
    everyMs: 20,
    signal,
  });
  await poll(async () => ((await serviceStatus(services, name)).running ? true : undefined), {
    what: `the service ${name} to start`,
    timeoutMs: 10_000,
    everyMs: 20,
    signal,
  });
}

const SIGNALS = { h: 'SIGHUP', '2': 'SIGUSR2' } as const;

/** Sends the server a signal by runit's letter: h HUP, 2 USR2. */
export async function signalService(
  services: string,
  name: string,
  letter: keyof typeof SIGNALS,
): Promise<void> {
  const { pid, orphan } = await serviceStatus(services, name);
  if (orphan) signalProcess(pid, SIGNALS[letter]);
  else await control(services, name, letter);
}

/** Tells runsv not to start the server again when it ends, now and after a restart of runsv. Ends nothing. */
export async function leaveDown(services: string, name: string, signal: AbortSignal): Promise<void> {
  const directory = join(services, name);
  await writeAtomically(join(directory, 'down'), '', { mode: 0o644 });
  const { running } = await serviceStatus(services, name);
  // "once" would start a server that is down.
  if (!(await control(services, name, running ? 'o' : 'd'))) return;
  await poll(
    async () =>
      (await readIfExists(join(directory, 'supervise', 'stat')))?.includes('down') ? true : undefined,
    { what: `runsv to let ${name} end`, timeoutMs: 10_000, everyMs: 5, signal },
  );
}

/**
 * Takes `leaveDown` back. Starts the server at once where a runsv is there to do it, otherwise together with the
 * supervisor. Resolves with whether there was anything to take back.
 */
export async function takeUp(services: string, name: string, signal: AbortSignal): Promise<boolean> {
  const file = join(services, name, 'down');
  if ((await readIfExists(file)) === undefined) return false;
  const { supervised } = await serviceStatus(services, name);
  if (supervised) await startService(services, name, signal);
  else await rm(file, { force: true });
  return true;
}

/** Ends the runsv of a service that is down. */
export async function endRunsv(services: string, name: string): Promise<void> {
  await control(services, name, 'x');
}

/**
 * Stops a service for good and waits until its server is gone, also one that has outlived its runsv; after
 * `graceMs` it is killed. Resolves with whether it had to be killed.
 */
export async function stopService(
  services: string,
  name: string,
  graceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const directory = join(services, name);
  if ((await readIfExists(join(directory, 'run'))) === undefined) return false;
  await writeAtomically(join(directory, 'down'), '', { mode: 0o644 });
  // First runsv, so that the one it holds in waiting does not take the orphan's place.
  await control(services, name, 'd');
  const { pid, orphan } = await serviceStatus(services, name);
  if (orphan) signalProcess(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  let killed = false;
  for (;;) {
    const now = await serviceStatus(services, name);
    if (now.pid === undefined) return killed;
    if (Date.now() > deadline && !killed) {
      killed = true;
      signalProcess(now.pid, 'SIGKILL');
    }
    await sleep(20, signal);
  }
}

function signalProcess(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself in the meantime.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Ends runsv of a stopped service and deletes its directory. */
export async function removeService(services: string, name: string, signal: AbortSignal): Promise<void> {
  const hidden = join(services, `.${name}.removed`);
  await rm(hidden, { recursive: true, force: true });
  try {
    await rename(join(services, name), hidden);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // runsv keeps its directory open under the new name: its control pipe is found there.
  await control(services, `.${name}.removed`, 'x');
  await poll(async () => ((await hasReader(join(hidden, 'supervise', 'control'))) ? undefined : true), {
    what: `runsv of ${name} to end`,
    timeoutMs: 15_000,
    everyMs: 20,
    signal,
  });
  await rm(hidden, { recursive: true, force: true });
}

/** Writes one command letter to runsv. False when no runsv listens. */
async function control(services: string, name: string, letter: string): Promise<boolean> {
  const path = join(services, name, 'supervise', 'control');
  let pipe: Awaited<ReturnType<typeof open>>;
  try {
    pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    // ENXIO: the pipe is there, but nobody reads it.
    if (['ENXIO', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  try {
    await pipe.write(letter);
    return true;
  } catch (error) {
    // runsv ended between the two calls.
    if (codeOf(error) === 'EPIPE') return false;
    throw error;
  } finally {
    await pipe.close();
  }
}

async function hasReader(path: string): Promise<boolean> {
  try {
    await (await open(path, constants.O_WRONLY | constants.O_NONBLOCK)).close();
    return true;
  } catch (error) {
    if (['ENXIO', 'ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}
