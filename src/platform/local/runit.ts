/**
 * Servers run below runit: `tini -s` (a sub-reaper, so that a killed postmaster does not linger as a zombie that
 * Patroni takes for running) > runsvdir > one runsv per server > the server and its svlogd. They live on
 * without pgherd, and a server that dies is back within a second.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { isAlive, type ProcessId, startTimeOf } from '../../lib/process.ts';
import { poll, sleep } from '../../lib/time.ts';

export interface ServiceStatus {
  /** runsv watches over it. */
  supervised: boolean;
  running: boolean;
  pid: number | undefined;
  /** Time of the last start or stop. */
  since: string | undefined;
}

export interface ServiceScripts {
  run: string;
  log: string;
}

/** Environment of the servers: nothing of the caller's own, which might hold PG* or PATRONI_* settings. */
const CLEAN_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

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

export async function listServices(services: string): Promise<string[]> {
  const names = await readdir(services).catch(() => []);
  return names.filter(name => !name.startsWith('.')).sort();
}

export async function serviceStatus(services: string, name: string): Promise<ServiceStatus> {
  const supervise = join(services, name, 'supervise');
  const supervised = await hasReader(join(supervise, 'control'));
  const state = (await readIfExists(join(supervise, 'stat'))) ?? '';
  const pid = Number(((await readIfExists(join(supervise, 'pid'))) ?? '').trim());
  const changed = await stat(join(supervise, 'status')).catch(() => undefined);
  const alive = pid > 0 && (await startTimeOf(pid)) !== undefined;
  return {
    supervised,
    running: state.startsWith('run') && alive,
    pid: pid > 0 && alive ? pid : undefined,
    since: changed?.mtime.toISOString(),
  };
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

/** Sends the service's process a signal by runit's letter: h HUP, 2 USR2; x ends runsv itself once the service is down. */
export async function signalService(services: string, name: string, letter: 'h' | '2' | 'x'): Promise<void> {
  await control(services, name, letter);
}

/**
 * Stops a service for good and waits until it is down; after `graceMs` it is killed. Resolves with whether it
 * had to be killed.
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
  if (!(await control(services, name, 'd'))) return false;
  const deadline = Date.now() + graceMs;
  let killed = false;
  while ((await serviceStatus(services, name)).pid !== undefined) {
    if (Date.now() > deadline && !killed) {
      killed = true;
      await control(services, name, 'k');
    }
    await sleep(20, signal);
  }
  return killed;
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

/** A process that pgherd started and left running, noted in a file so that a later pgherd finds it. */
export class DetachedProcess {
  readonly #file: string;
  readonly #log: string;

  constructor(file: string, log: string) {
    this.#file = file;
    this.#log = log;
  }

  async isRunning(): Promise<boolean> {
    const id = await this.#read();
    return id !== undefined && (await isAlive(id));
  }

  /** Starts it in a session of its own unless it runs already. */
  async ensure(argv: readonly [string, ...string[]], cwd: string): Promise<void> {
    if (await this.isRunning()) return;
    const log = await open(this.#log, 'a', 0o600);
    try {
      const [program, ...args] = argv;
      const child = spawn(program, args, {
        detached: true,
        cwd,
        env: CLEAN_ENVIRONMENT,
        stdio: ['ignore', log.fd, log.fd],
      });
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      const pid = child.pid ?? 0;
      const id: ProcessId = { pid, startTime: (await startTimeOf(pid)) ?? '' };
      await writeAtomically(this.#file, JSON.stringify(id), { mode: 0o600 });
      child.unref();
    } finally {
      await log.close();
    }
  }

  /** Sends `name`, waits for the end, kills after `graceMs`. */
  async stop(name: NodeJS.Signals, graceMs: number, signal: AbortSignal): Promise<void> {
    const id = await this.#read();
    if (id === undefined) return;
    const deadline = Date.now() + graceMs;
    if (await isAlive(id)) process.kill(id.pid, name);
    while (await isAlive(id)) {
      if (Date.now() > deadline) process.kill(id.pid, 'SIGKILL');
      await sleep(20, signal);
    }
    await rm(this.#file, { force: true });
  }

  async #read(): Promise<ProcessId | undefined> {
    const text = await readIfExists(this.#file);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as ProcessId);
    } catch {
      return undefined;
    }
  }
}
