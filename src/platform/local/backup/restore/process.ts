/** The process of a scratch's server: started, found again, stopped, spoken to. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Session } from '../../../../engine/postgres/connection.ts';
import { SCRATCH_PORT } from '../../../../engine/postgres/scratchConfig.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../../lib/files.ts';
import { isAlive, type ProcessId, startTimeOf } from '../../../../lib/process.ts';
import { sleep } from '../../../../lib/time.ts';
import type { ClusterRecord } from '../../record.ts';
import { asServer } from './copy.ts';
import type { ScratchPaths } from './record.ts';

/** How long a fast shutdown may take. */
export const STOP_MS = 60_000;
const SESSION_MS = 3_600_000;

/** Starts the server in a session of its own: it outlives this process. */
export async function startServer(record: ClusterRecord, places: ScratchPaths): Promise<ProcessId> {
  const known = await runningServer(places);
  if (known !== undefined) return known;
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  await mkdir(join(places.sockets, '..'), { recursive: true });
  await ensureDirectory(places.sockets, { mode: 0o700, owner });
  const log = await open(places.log, 'a', 0o600);
  try {
    const child = spawn(join(record.postgres.binDir, 'postgres'), ['-c', `config_file=${places.config}`], {
      ...asServer(record),
      detached: true,
      cwd: '/',
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const pid = child.pid ?? 0;
    const id = { pid, startTime: (await startTimeOf(pid)) ?? '' };
    await writeAtomically(places.process, JSON.stringify(id), { mode: 0o600 });
    child.unref();
    return id;
  } finally {
    await log.close();
  }
}

/** Fast shutdown, and a hard one when that takes too long. May be repeated. */
export async function stopServer(places: ScratchPaths, signal: AbortSignal): Promise<void> {
  const server = await runningServer(places);
  if (server !== undefined) {
    for (const [name, graceMs] of [
      ['SIGINT', STOP_MS],
      ['SIGQUIT', 10_000],
      ['SIGKILL', 10_000],
    ] as const) {
      if (!(await isAlive(server))) break;
      process.kill(server.pid, name);
      const until = Date.now() + graceMs;
      while ((await isAlive(server)) && Date.now() < until) await sleep(20, signal);
    }
  }
  await rm(places.process, { force: true });
  await rm(places.sockets, { recursive: true, force: true });
}

/** By the note of whoever started it, or by PostgreSQL's own. */
async function runningServer(places: ScratchPaths): Promise<ProcessId | undefined> {
  const noted = await readIfExists(places.process);
  try {
    const id = noted === undefined ? undefined : (JSON.parse(noted) as ProcessId);
    if (id !== undefined && (await isAlive(id))) return id;
  } catch {
    // Written by nobody of ours: the other way tells.
  }
  const pid = Number(((await readIfExists(join(places.data, 'postmaster.pid'))) ?? '').split('\n')[0]);
  if (!(pid > 1)) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const startTime = await startTimeOf(pid);
  return startTime !== undefined && command.includes(places.config) ? { pid, startTime } : undefined;
}

export async function openScratchSession(
  places: Pick<ScratchPaths, 'sockets'>,
  database: string,
  signal: AbortSignal,
  timeoutMs = SESSION_MS,
): Promise<Session> {
  const target = { host: places.sockets, port: SCRATCH_PORT, user: 'postgres', password: '', ca: undefined };
  return await Session.open({ ...target, database, timeoutMs }, signal);
}
