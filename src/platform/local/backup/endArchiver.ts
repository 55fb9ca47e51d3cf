/** pgBackRest pushes WAL from a process in the background, which is nobody's child. */
import { readdir, readFile } from 'node:fs/promises';
import { isAlive, type ProcessId, startTimeOf } from '../../../lib/process.ts';
import { sleep } from '../../../lib/time.ts';
import type { Paths } from '../layout.ts';
import { backupPaths } from './paths.ts';

const GRACE_MS = 3000;

/** Ends those of this cluster, if any run: what they have not pushed is pushed when PostgreSQL runs again. */
export async function endArchiver(paths: Paths, signal: AbortSignal): Promise<void> {
  const option = `--config=${backupPaths(paths).archiveConf}`;
  const found = await Promise.all((await readdir('/proc')).map(name => identify(name, option)));
  const running = found.filter(process => process !== undefined);
  for (const kill of ['SIGTERM', 'SIGKILL'] as const) {
    const alive = await aliveOf(running);
    for (const { pid } of alive) process.kill(pid, kill);
    const until = Date.now() + GRACE_MS;
    while (Date.now() < until && (await aliveOf(alive)).length > 0) await sleep(50, signal);
  }
}

/** By its argument, whole: not whoever has the path in a longer text. */
async function identify(name: string, option: string): Promise<ProcessId | undefined> {
  if (!/^\d+$/.test(name)) return undefined;
  const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
  const words = command.split('\0');
  if (!words.includes(option) || !words[0]?.endsWith('pgbackrest')) return undefined;
  const pid = Number(name);
  const startTime = await startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

async function aliveOf(processes: ProcessId[]): Promise<ProcessId[]> {
  const alive = await Promise.all(processes.map(isAlive));
  return processes.filter((_, n) => alive[n]);
}
