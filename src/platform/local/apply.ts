/** Carrying out one action on this machine. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComponentKind } from '../../core/topology/observation.ts';
import { PgherdError } from '../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../lib/files.ts';
import { isAlive, startTimeOf } from '../../lib/process.ts';
import { poll } from '../../lib/time.ts';
import type { ApplyContext } from '../contract.ts';
import type { DetachedProcess } from './detachedProcess.ts';
import { poolerTargetFile } from './frontServices.ts';
import { ensureHosts, releaseHosts } from './hosts.ts';
import { componentKind, type Paths, VOTERS } from './layout.ts';
import type { Clients } from './observe.ts';
import type { ClusterRecord } from './record.ts';
import {
  backdate,
  endRunsv,
  listServices,
  serviceStatus,
  signalService,
  startService,
  stopService,
  writeService,
} from './runit.ts';
import { memberSocketDir, type Service } from './serviceParts.ts';
import { fingerprints } from './services.ts';

/** Patroni stops its PostgreSQL, which writes a checkpoint first. */
const MEMBER_STOP_MS = 60_000;
const STOP_MS = 10_000;
const HOSTS_MS = 60_000;
/** The last voters wait in vain for somebody to lead instead; what they have acknowledged is on disk. */
const VOTER_STOP_MS = 1500;

export interface Machine {
  record: ClusterRecord;
  paths: Paths;
  clients: Clients;
  supervisor: DetachedProcess;
  render(name: string): Service;
  /** Every component the manifest asks for: all their services stand before runsvdir looks for the first time. */
  wanted: string[];
}

/** Writes what a server needs, and notes it as handed over. `text` of files may hold passwords: 0600. */
export async function writeFiles(machine: Machine, service: Service): Promise<void> {
  const { paths, record } = machine;
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  const directory = { mode: 0o700, owner };
  await ensureDirectory(join(paths.conf, service.name), directory);
  await ensureDirectory(join(paths.logs, service.name), directory);
  if (service.kind === 'member') {
    await ensureDirectory(join(paths.data, service.name), directory);
    await ensureDirectory(memberSocketDir(paths, service.name), directory);
  }
  if (service.kind === 'etcd') await ensureDirectory(join(paths.data, service.name), directory);
  if (service.kind === 'pooler' || service.kind === 'poolerStandby') {
    await ensureDirectory(join(paths.run, service.name), directory);
    await ensureDirectory(join(poolerTargetFile(paths, service.kind), '..'), directory);
  }
  await Promise.all(
    service.files.map(file =>
      writeAtomically(file.path, file.text, { mode: file.text.startsWith('#!') ? 0o700 : 0o600, owner }),
    ),
  );
  // 10 files of 1 MB each: the log of a server takes at most 11 MB.
  await writeAtomically(join(paths.logs, service.name, 'config'), 's1000000\nn10\n', { mode: 0o644, owner });
  await writeService(paths.services, service.name, service.scripts);
}

async function noteApplied({ paths }: Machine, service: Service): Promise<void> {
  const text = JSON.stringify(fingerprints(service));
  await writeAtomically(join(paths.conf, service.name, 'applied.json'), text, { mode: 0o600 });
}

/** Starts a server, and waits until it does its work as far as others depend on it. */
export async function startComponent(machine: Machine, name: string, context: ApplyContext): Promise<void> {
  const { paths } = machine;
  const service = machine.render(name);
  await writeFiles(machine, service);
  await noteApplied(machine, service);
  // Patroni ends when it finds etcd not ready yet, and would start again only a second later.
  if (service.kind === 'member') await waitForDcs(machine, context.signal);
  await startService(paths.services, name, context.signal);
  if (service.kind === 'etcd') await waitForVoter(machine, name, context.signal);
}

/** runsvdir below a sub-reaper. Safe when it runs already. It starts at once what ran before, after a reboot say. */
export async function startSupervisor(machine: Machine): Promise<void> {
  const { paths, supervisor } = machine;
  const argv = supervisorArgv(machine);
  if (await supervisor.adopt(argv)) return;
  await ensureHosts(machine, machine.wanted, AbortSignal.timeout(HOSTS_MS));
  await backdate(paths.services);
  await supervisor.ensure(argv, paths.services);
}

function supervisorArgv({ paths, record }: Machine): [string, ...string[]] {
  const { tini, runsvdir } = record.programs;
  return [tini, '-s', '--', runsvdir, '-P', paths.services];
}

async function waitForVoter(machine: Machine, name: string, signal: AbortSignal): Promise<void> {
  await poll(async inner => ((await machine.clients.etcd(name).servesPeers(inner)) ? true : undefined), {
    what: `${name} to serve its peers`,
    timeoutMs: 30_000,
    everyMs: 20,
    signal,
  });
}

/** At least one voter is ready, and none that answers is not: Patroni may ask any of them. */
async function waitForDcs({ clients }: Machine, signal: AbortSignal): Promise<void> {
  const voters = Array.from({ length: VOTERS }, (_, n) => clients.etcd(`etcd-${n}`));
  await poll(
    async inner => {
      const states = await Promise.all(voters.map(voter => voter.isReady(inner).catch(() => undefined)));
      return states.includes(true) && !states.includes(false) ? true : undefined;
    },
    { what: 'etcd to have a quorum', timeoutMs: 30_000, everyMs: 20, signal },
  );
}

export async function reloadComponent(machine: Machine, name: string): Promise<void> {
  const service = machine.render(name);
  await writeFiles(machine, service);
  if (service.reload !== undefined) await signalService(machine.paths.services, name, service.reload);
  await noteApplied(machine, service);
}

export async function restartComponent(machine: Machine, name: string, context: ApplyContext): Promise<void> {
  await stopComponent(machine, name, context);
  await startComponent(machine, name, context);
}

export async function stopComponent(machine: Machine, name: string, context: ApplyContext): Promise<void> {
  const kind = componentKind(name);
  const graceMs = kind === 'member' ? MEMBER_STOP_MS : kind === 'etcd' ? VOTER_STOP_MS : STOP_MS;
  await stopService(machine.paths.services, name, graceMs, context.signal);
  if (kind === 'member') await stopPostmaster(machine, name, context.signal);
}

/** PostgreSQL outlives a Patroni that was killed: fast shutdown by its own signal, then the hard one. */
async function stopPostmaster({ paths }: Machine, name: string, signal: AbortSignal): Promise<void> {
  const file = join(paths.data, name, 'pgdata', 'postmaster.pid');
  const pid = Number(((await readIfExists(file)) ?? '').split('\n')[0]);
  if (!(pid > 1)) return;
  const startTime = await startTimeOf(pid);
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (startTime === undefined || !command.includes(join(paths.data, name))) return;
  for (const [kill, waitMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 10_000],
  ] as const) {
    if (!(await isAlive({ pid, startTime }))) return;
    process.kill(pid, kill);
    const until = Date.now() + waitMs;
    await poll(async () => (!(await isAlive({ pid, startTime })) || Date.now() > until ? true : undefined), {
      what: `PostgreSQL of ${name} to stop`,
      timeoutMs: waitMs + 1000,
      everyMs: 20,
      signal,
    });
  }
}

/** The order in which a cluster stops: first what clients use, then standbys, the primary, and last etcd. */
const STOP_ORDER: ComponentKind[][] = [['pooler', 'poolerStandby', 'proxy'], ['member'], ['etcd']];

/** Stops every server, the primary after its standbys so that it keeps the most advanced data, then runit itself. */
export async function stopAll(
  machine: Machine,
  primary: string | undefined,
  context: ApplyContext,
): Promise<void> {
  const { paths, supervisor } = machine;
  const names = await listServices(paths.services);
  for (const kinds of STOP_ORDER) {
    const group = names.filter(name => kinds.includes(componentKind(name)));
    const last = group.filter(name => name === primary);
    const first = group.filter(name => name !== primary);
    for (const batch of [first, last]) {
      if (batch.length === 0) continue;
      context.progress(`stopping ${batch.join(', ')}`);
      await Promise.all(batch.map(name => stopComponent(machine, name, context)));
    }
  }
  await stopSupervisor(machine, context.signal);
  const left = await stillRunning(paths, names);
  if (left.length > 0) {
    throw new PgherdError({
      code: 'not-stopped',
      message: `these servers are still running: ${left.join(', ')}`,
      hint: 'run the command again; their logs say what they wait for',
    });
  }
  await supervisor.stop('SIGTERM', 5000, context.signal);
  await releaseHosts(machine, context.signal);
}

/** SIGHUP makes runsvdir end every runsv, which ends its svlogd. */
async function stopSupervisor(machine: Machine, signal: AbortSignal): Promise<void> {
  const { paths, supervisor } = machine;
  await supervisor.adopt(supervisorArgv(machine));
  await supervisor.stop('SIGHUP', 10_000, signal);
  // runsv processes whose runsvdir was killed earlier are not its children any more: end them one by one.
  for (const name of await listServices(paths.services)) {
    if ((await serviceStatus(paths.services, name)).supervised) await stopOrphanedRunsv(paths, name, signal);
  }
}

async function stopOrphanedRunsv(paths: Paths, name: string, signal: AbortSignal): Promise<void> {
  await endRunsv(paths.services, name);
  await poll(async () => ((await serviceStatus(paths.services, name)).supervised ? undefined : true), {
    what: `runsv of ${name} to end`,
    timeoutMs: 10_000,
    everyMs: 20,
    signal,
  });
}

async function stillRunning(paths: Paths, names: string[]): Promise<string[]> {
  const alive = await Promise.all(
    names.map(async name => (await serviceStatus(paths.services, name)).pid !== undefined),
  );
  return names.filter((_, n) => alive[n]);
}
