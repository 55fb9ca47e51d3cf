/**
 * A scratch in the place of a cluster's data. The steps may be repeated; that a swap was begun is noted in swap.json,
 * and whether the scratch's data have moved is seen by where they lie.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec } from '../../../../core/manifest/spec.ts';
import { identifier, literal } from '../../../../engine/postgres/connection.ts';
import { scramVerifier } from '../../../../engine/postgres/scram.ts';
import { codeOf, RefusedError } from '../../../../lib/errors.ts';
import { run } from '../../../../lib/exec.ts';
import { writeAtomically } from '../../../../lib/files.ts';
import { poll } from '../../../../lib/time.ts';
import type { ApplyContext, ScratchRecord, SwapOptions, SwapResult } from '../../../contract.ts';
import { type Machine, startComponent, startSupervisor, stopComponent, writeFiles } from '../../apply.ts';
import { readControlData } from '../../controlData.ts';
import { ensureHosts } from '../../hosts.ts';
import { componentKind, memberName, type Paths } from '../../layout.ts';
import { desiredDynamicConfig } from '../../memberService.ts';
import { setAside } from '../../removal.ts';
import { listServices, serviceStatus } from '../../runit.ts';
import type { SecretStore } from '../../secrets.ts';
import { noteAside } from '../aside.ts';
import { openScratchSession, stopServer } from './process.ts';
import type { ScratchPaths } from './record.ts';
import { restartServer } from './server.ts';
import { readSwap, swapFile } from './swapFile.ts';

const PRIMARY_MS = 600_000;
const DCS_MS = 30_000;

export interface SwapMeans {
  machine: Machine;
  spec: ClusterSpec;
  secrets: SecretStore;
  /** Prefix of the cluster's keys in the DCS, with the cluster's name. */
  scope: string;
  /** Whom the cluster had as its primary, as far as it is known. */
  primary: string | undefined;
}

export async function swapIn(
  means: SwapMeans,
  scratch: ScratchRecord,
  places: ScratchPaths,
  options: SwapOptions,
  context: ApplyContext,
): Promise<SwapResult> {
  const { machine, spec } = means;
  const { paths, record } = machine;
  const { signal } = context;
  const begun = await readSwap(paths);
  if (begun !== undefined && begun.scratch.directory !== scratch.directory) {
    throw new RefusedError({
      code: 'swap-unfinished',
      message: `the cutover to restore ${begun.scratch.id} was begun and has to be finished first`,
      hint: `pgherd restore ${spec.name} --cutover ${begun.scratch.id}`,
    });
  }
  const swap = begun ?? {
    schema: 1,
    keepUntil: options.keepUntil.toISOString(),
    stamp: `${new Date().toISOString().replace(/[:.]/g, '').slice(0, 17)}-${scratch.id}`,
    primary: means.primary ?? memberName(spec, 0),
    scratch,
  };
  const waiting = await exists(places.data);
  if (waiting) await refuseTablespaces(places);
  // From here on nothing is whole until the end.
  await writeAtomically(swapFile(paths), JSON.stringify(swap), { mode: 0o600 });
  await options.onBegun?.();
  if (waiting) {
    context.progress('the restored data take over the passwords of the cluster');
    await restartServer(record, places, signal);
    await setPasswords(means, places, signal);
    await stopServer(places, signal);
  }
  const control = await readControlData(record, waiting ? places.data : dataOf(paths, swap.primary), signal);
  // Of a cluster that is stopped, or after a reboot: what members stand on, and who starts them.
  await ensureHosts(machine, machine.wanted, signal);
  await startSupervisor(machine);
  const members = await allMembers(means);
  await stopMembers(means, members, swap.primary, context);
  const kept = {
    keepUntil: swap.keepUntil,
    why: `the data before the cutover to restore ${swap.scratch.id}`,
  };
  let aside = await noteAside(paths, swap.stamp, kept, []);
  if (waiting) {
    context.progress('setting the old data aside');
    for (const name of members) {
      if (!(await exists(dataOf(paths, name)))) continue;
      const target = await setAside(machine, name, signal);
      if (target !== undefined) aside = await noteAside(paths, swap.stamp, kept, [target]);
    }
    await ensureHosts(machine, machine.wanted, signal);
    for (const name of wantedMembers(machine)) await writeFiles(machine, machine.render(name));
    await moveData(places, dataOf(paths, swap.primary));
  }
  await startVoters(machine, context);
  await resetDcs(means, control.systemIdentifier, signal);
  context.progress(`starting ${swap.primary} on the restored data`);
  await startComponent(machine, swap.primary, context);
  await untilPrimary(machine, swap.primary, signal);
  const others = wantedMembers(machine).filter(name => name !== swap.primary);
  await Promise.all(others.map(name => startComponent(machine, name, context)));
  await rm(places.root, { recursive: true, force: true });
  await rm(swapFile(paths), { force: true });
  return { primary: swap.primary, aside, othersFollow: false };
}

function dataOf(paths: Paths, member: string): string {
  return join(paths.data, member, 'pgdata');
}

function wantedMembers({ wanted }: Machine): string[] {
  return wanted.filter(name => componentKind(name) === 'member');
}

async function allMembers({ machine }: SwapMeans): Promise<string[]> {
  const services = await listServices(machine.paths.services);
  const known = services.filter(name => componentKind(name) === 'member');
  return [...new Set([...known, ...wantedMembers(machine)])];
}

/** The primary last, so that it has everything, and what it still had to archive. */
async function stopMembers(
  { machine }: SwapMeans,
  members: string[],
  primary: string,
  context: ApplyContext,
): Promise<void> {
  const last = members.filter(name => name === primary);
  const first = members.filter(name => name !== primary);
  for (const batch of [first, last]) {
    if (batch.length > 0) context.progress(`stopping ${batch.join(', ')}`);
    await Promise.all(batch.map(name => stopComponent(machine, name, context)));
  }
}

/** The secrets of the cluster are what its users log in with, whatever the passwords were back then. */
async function setPasswords(means: SwapMeans, places: ScratchPaths, signal: AbortSignal): Promise<void> {
  const users = await means.secrets.users();
  await using session = await openScratchSession(places, 'postgres', signal, 30_000);
  await session.query('SET default_transaction_read_only = off');
  // Nobody has read the verifiers from the log of a server that logs statements.
  await session.query("SET log_statement = 'none'");
  const rows = await session.query('SELECT rolname::text AS name FROM pg_authid WHERE rolname = ANY ($1)', [
    users,
  ]);
  for (const { name } of rows) {
    const { password } = await means.secrets.read(String(name));
    const verifier = literal(scramVerifier(password));
    await session.query(`ALTER ROLE ${identifier(String(name))} PASSWORD ${verifier}`);
  }
}

async function refuseTablespaces(places: ScratchPaths): Promise<void> {
  const found = await readdir(places.tablespaces).catch(() => []);
  if (found.length === 0) return;
  throw new RefusedError({
    code: 'tablespaces',
    message: 'the backup holds tablespaces, which pgherd cannot put in place',
    detail: `restored to ${places.tablespaces}`,
    hint: 'take tables out of the restored data with --table, or move them to the default tablespace and back up again',
  });
}

async function moveData(places: ScratchPaths, target: string): Promise<void> {
  const { data, autoConfig } = places;
  await rm(join(data, 'recovery.signal'), { force: true });
  await rename(autoConfig, join(data, 'postgresql.auto.conf')).catch(ignoreMissing);
  try {
    await rename(data, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    // Into a volume of its own. Under another name until it is whole.
    const partial = `${target}.partial`;
    await rm(partial, { recursive: true, force: true });
    await copyAcross(data, partial);
    await rename(partial, target);
    await rm(data, { recursive: true, force: true });
  }
}

async function copyAcross(from: string, to: string): Promise<void> {
  await run(['cp', '--archive', '--sparse=auto', from, to], {
    signal: AbortSignal.timeout(PRIMARY_MS),
    timeoutMs: PRIMARY_MS,
  });
  await run(['sync', '--file-system', to], {
    signal: AbortSignal.timeout(PRIMARY_MS),
    timeoutMs: PRIMARY_MS,
  });
}

async function startVoters(machine: Machine, context: ApplyContext): Promise<void> {
  const { paths } = machine;
  for (const name of machine.wanted.filter(candidate => componentKind(candidate) === 'etcd')) {
    if (!(await serviceStatus(paths.services, name)).running) await startComponent(machine, name, context);
  }
}

/**
 * What Patroni remembers of the data before: the position that a new primary must not be behind, who may take over,
 * the history. The identifier and the configuration stay; a cluster that has none yet gets them, so that nobody
 * begins a new one with initdb.
 */
async function resetDcs(
  { machine, scope, spec }: SwapMeans,
  system: string,
  signal: AbortSignal,
): Promise<void> {
  const etcd = machine.clients.etcd('etcd-0');
  const keys = await poll(async inner => await etcd.readPrefix(`${scope}/`, inner, 5000), {
    what: 'etcd to have a quorum',
    timeoutMs: DCS_MS,
    everyMs: 100,
    signal,
  });
  for (const { key } of keys) {
    if (![`${scope}/config`, `${scope}/initialize`].includes(key)) await etcd.deleteKey(key, signal);
  }
  await etcd.put(`${scope}/initialize`, system, signal);
  if (keys.some(({ key }) => key === `${scope}/config`)) return;
  await etcd.put(
    `${scope}/config`,
    JSON.stringify(desiredDynamicConfig(spec, machine.record, machine.paths)),
    signal,
  );
}

async function untilPrimary(machine: Machine, name: string, signal: AbortSignal): Promise<void> {
  const patroni = machine.clients.patroni(name);
  await poll(
    async inner => {
      const { role, state } = await patroni.status(inner);
      if (['primary', 'master'].includes(role) && state === 'running') return true;
      await patroni.wake(inner).catch(() => {});
      return undefined;
    },
    { what: `${name} to take the lead on the restored data`, timeoutMs: PRIMARY_MS, everyMs: 150, signal },
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
