/** What every step needs: directories, the hosts of isolated members, every server laid out below its supervisor. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { ensureDirectory } from '../../lib/files.ts';
import { type Machine, startSupervisor, writeFiles } from './apply.ts';
import { ensureHosts } from './hosts.ts';
import type { Paths } from './layout.ts';
import { ensureTargets } from './poolerTargets.ts';
import type { ClusterRecord } from './record.ts';
import type { Renderings } from './renderings.ts';
import { listServices } from './runit.ts';

export async function provision(
  spec: ClusterSpec,
  record: ClusterRecord,
  paths: Paths,
  renderings: Renderings,
  signal: AbortSignal,
): Promise<void> {
  await prepareDirectories(paths, record);
  await renderings.renew(record, signal);
  const machine = await renderings.machine(record);
  await ensureTargets(machine, spec);
  await layOut(machine, signal);
}

/** Directories of the cluster with the rights they need. Owners: the servers' user where pgherd is root. */
export async function prepareDirectories(paths: Paths, record: ClusterRecord): Promise<void> {
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  await ensureDirectory(paths.root, { mode: 0o755 });
  // Left of a command that was killed in the middle of writing. Whoever writes here holds the cluster's lock.
  for (const name of await readdir(paths.root)) {
    if (name.endsWith('.tmp')) await rm(join(paths.root, name), { force: true });
  }
  for (const own of [paths.secrets, paths.aside]) await ensureDirectory(own, { mode: 0o700 });
  await ensureDirectory(paths.services, { mode: 0o755 });
  for (const shared of [paths.tls, paths.conf, paths.data, paths.logs])
    await ensureDirectory(shared, { mode: 0o700, owner });
  await ensureDirectory(join(paths.run, '..'), { mode: 0o755 });
  await ensureDirectory(paths.run, { mode: 0o700, owner });
}

/**
 * Lays out every server that does not exist yet, stopped, and starts the supervisor: runsvdir takes up what it
 * finds at its start at once, and what comes later only within five seconds.
 */
async function layOut(machine: Machine, signal: AbortSignal): Promise<void> {
  await ensureHosts(machine, machine.wanted, signal);
  const known = await listServices(machine.paths.services);
  const fresh = machine.wanted.filter(name => !known.includes(name));
  await Promise.all(fresh.map(name => writeFiles(machine, machine.render(name))));
  if (machine.wanted.length > 0) await startSupervisor(machine);
}
