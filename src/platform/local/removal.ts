/** Taking a server out of the cluster, which sets its data aside; taking the cluster away, which deletes them. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { MemberObservation } from '../../core/topology/observation.ts';
import { codeOf } from '../../lib/errors.ts';
import type { ApplyContext } from '../contract.ts';
import { type Machine, stopComponent } from './apply.ts';
import type { ClientPool } from './clients.ts';
import { dropSlotOf } from './dynamicConfig.ts';
import { releaseHost } from './hosts.ts';
import { componentKind, type Paths } from './layout.ts';
import type { PrimarySql } from './primarySql.ts';
import { listServices, removeService } from './runit.ts';
import { memberSocketDir } from './serviceParts.ts';
import { moveVolume } from './volumes.ts';

/**
 * Takes a server out of the cluster. Its data is not deleted: it is set aside under a name with the time, to be
 * deleted by hand.
 */
async function removeComponent(machine: Machine, name: string, context: ApplyContext): Promise<void> {
  const { paths } = machine;
  const { signal } = context;
  await stopComponent(machine, name, context);
  await removeService(paths.services, name, signal);
  await setAside(machine, name, signal);
  await releaseHost(machine, name, await listServices(paths.services), signal);
  for (const leftover of [join(paths.conf, name), runtimeDir(paths, name)]) {
    await rm(leftover, { recursive: true, force: true });
  }
}

/** The same, and where it is a member, what the others keep for it. */
export async function removeFromCluster(
  machine: Machine,
  component: string,
  others: {
    /** Prefix of the cluster's keys in the DCS, with the cluster's name. */
    scope: string;
    primary(): Promise<MemberObservation>;
    sql: PrimarySql;
    clients: ClientPool;
  },
  context: ApplyContext,
): Promise<void> {
  await removeComponent(machine, component, context);
  if (componentKind(component) !== 'member') return;
  const { signal } = context;
  const primary = await others.primary();
  const connect = () => others.sql.connect(primary, 'postgres', signal);
  const key = `${others.scope}/members/${component}`;
  await dropSlotOf(component, key, { name: primary.name, connect }, others.clients, signal);
}

/** Deletes everything of a cluster that is stopped. */
export async function deleteCluster({ root, run, record }: Paths): Promise<void> {
  await rm(run, { recursive: true, force: true });
  // The record goes first: what is left of an interrupted deletion is no cluster any more.
  await rm(record, { force: true });
  // Under another name, so that what the control plane still notes of the end does not make the directory anew.
  const doomed = join(dirname(root), `.${basename(root)}.deleted`);
  await rm(doomed, { recursive: true, force: true });
  await rename(root, doomed).catch(error => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await rm(doomed, { recursive: true, force: true });
}

/** Where a server keeps its sockets. */
function runtimeDir(paths: Paths, name: string): string {
  return componentKind(name) === 'member' ? memberSocketDir(paths, name) : join(paths.run, name);
}

/**
 * Moves a data directory, or the image of a volume, to aside/, where nothing uses it. Resolves with where it is now;
 * undefined: there was nothing.
 */
export async function setAside(
  { record, paths }: Machine,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const data = join(paths.data, name);
  if ((await stat(data).catch(() => undefined)) === undefined) return undefined;
  const stamp = new Date().toISOString().replace(/[:.]/g, '').slice(0, 15);
  const target = join(paths.aside, `${name}.${stamp}.${randomBytes(2).toString('hex')}`);
  await mkdir(paths.aside, { recursive: true });
  if (await moveVolume(record, paths, name, `${target}.img`, signal)) return `${target}.img`;
  await rename(data, target);
  return target;
}
