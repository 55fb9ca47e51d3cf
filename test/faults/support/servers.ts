/** The processes of a cluster by what they are, and ways to hurt them. Each is known by pid and start time. */
import { constants, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProcessId, startTimeOf } from '../../../src/lib/process.ts';
import type { Cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/poll.ts';
import { isAlive, kill, type ProcessInfo, processesOf } from '../../support/processes.ts';

export async function identify(pid: number): Promise<ProcessId> {
  const startTime = pid > 1 ? await startTimeOf(pid) : undefined;
  if (startTime === undefined) throw new Error(`no process ${pid} runs`);
  return { pid, startTime };
}

/** The process that runit started for a service, or for `NAME/log`. */
export async function serverOf(cluster: Cluster, service: string): Promise<ProcessId> {
  return await identify(numberIn(join(cluster.root, 'services', service, 'supervise', 'pid')));
}

export async function postmasterOf(cluster: Cluster, member: string): Promise<ProcessId> {
  return await identify(numberIn(join(cluster.root, 'data', member, 'pgdata', 'postmaster.pid')));
}

/** The resident control plane, one for the state directory. */
export async function keeperOf(cluster: Cluster): Promise<ProcessId> {
  const { stateDir } = cluster.sandbox;
  return await identify(numberIn(join(stateDir, 'services', 'keeper', 'supervise', 'pid')));
}

/** tini and runsvdir above the servers. */
export async function supervisorOf(cluster: Cluster): Promise<{ tini: ProcessId; runsvdir: ProcessInfo }> {
  const file = join(cluster.root, 'supervisor.json');
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as ProcessId;
  const tini = await identify(pid);
  const [runsvdir] = childrenOf(cluster, tini).filter(child => child.name === 'runsvdir');
  if (runsvdir === undefined) throw new Error('no runsvdir below tini');
  return { tini, runsvdir };
}

export function runsvOf(cluster: Cluster, service: string): ProcessInfo {
  const found = processesOf(cluster.sandbox.stateDir).filter(({ command }) => command === `runsv ${service}`);
  // One that was just started and gives way to the present one may be there for a moment.
  const [first] = found.sort((a, b) => Number(a.startTime) - Number(b.startTime));
  if (first === undefined) throw new Error(`no runsv of ${service}`);
  return first;
}

export function childrenOf(cluster: Cluster, { pid }: { pid: number }): ProcessInfo[] {
  return processesOf(cluster.sandbox.stateDir).filter(({ parent }) => parent === pid);
}

/** Kills with -9, which has to hit. */
export function strike(...victims: ProcessId[]): void {
  for (const victim of victims) {
    if (!kill(victim)) throw new Error(`process ${victim.pid} was gone before it was killed`);
  }
}

/** Waits until there is another living process in the place of the old one. */
export async function replaced(
  what: string,
  old: ProcessId,
  find: () => Promise<ProcessId>,
  withinMs = 30_000,
): Promise<ProcessId> {
  return await eventually(`${what} to be started again`, withinMs, async () => {
    const found = await find();
    return found.startTime !== old.startTime || found.pid !== old.pid ? found : undefined;
  });
}

/** Sends runsv a letter: d stops, o means "do not start again", u starts. */
export async function control(cluster: Cluster, service: string, letter: 'd' | 'o' | 'u'): Promise<void> {
  const path = join(cluster.root, 'services', service, 'supervise', 'control');
  const pipe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    await pipe.write(letter);
  } finally {
    await pipe.close();
  }
}

/**
 * What a machine does that loses its power: the member's Patroni and PostgreSQL and the voter beside it end at
 * once, without a word to anybody, and stay dead.
 */
export async function killMachine(cluster: Cluster, member: string, voter?: string): Promise<void> {
  const services = voter === undefined ? [member] : [member, voter];
  for (const service of services) {
    await control(cluster, service, 'o');
    const stat = join(cluster.root, 'services', service, 'supervise', 'stat');
    await eventually(`runsv to let ${service} die`, 10_000, () =>
      readFileSync(stat, 'utf8').includes('want down'),
    );
  }
  const postmaster = await postmasterOf(cluster, member);
  const sessions = childrenOf(cluster, postmaster);
  strike(...(await Promise.all(services.map(service => serverOf(cluster, service)))), postmaster);
  for (const session of sessions) kill(session);
  await eventually(`all of ${member} to be dead`, 10_000, () => !isAlive(postmaster));
}

function numberIn(file: string): number {
  return Number.parseInt(readFileSync(file, 'utf8'), 10);
}
