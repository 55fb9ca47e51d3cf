/** The control plane's own small repairs, which interrupt nothing. */
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { lockHolder } from '../../lib/process.ts';
import { type Machine, reloadComponent, startSupervisor } from './apply.ts';
import { ordinalOf, VOTERS } from './layout.ts';
import { retarget } from './poolerTargets.ts';
import { readRecord } from './record.ts';

const VOTERS_MS = 2_000;

/** Resolves with what was done. */
export async function heal(machine: Machine, spec: ClusterSpec, observed: Observation): Promise<string[]> {
  const done: string[] = [];
  if (!(await machine.supervisor.isRunning()) && (await shouldRun(machine))) {
    await startSupervisor(machine);
    done.push('started the supervisor of the servers again');
  }
  const moved = await keepVotersApart(machine, observed);
  if (moved !== undefined) done.push(moved);
  const [primary, other] = observed.members.filter(member => member.role === 'primary');
  if (primary === undefined || other !== undefined || !spec.pooler.primary) return done;
  if (await retarget(machine, spec, primary.address)) {
    for (const pooler of observed.components.filter(component => component.kind === 'pooler')) {
      await reloadComponent(machine, pooler.name);
    }
    done.push(`led the poolers to ${primary.name}`);
  }
  return done;
}

/** Somebody who holds the lock may be stopping the cluster at this moment, and has not ended every runsv yet. */
async function shouldRun({ paths }: Machine): Promise<boolean> {
  if ((await lockHolder(paths.lock)) !== undefined) return false;
  return (await readRecord(paths.record))?.stopped === false;
}

/**
 * Whoever is lost with the primary's host must not lead etcd's voters as well: their election of a new leader takes half
 * a second or more, in which nobody can take the lead of the cluster (measured: docs/adr/0013-sentinel.md).
 */
async function keepVotersApart(
  { clients, record }: Machine,
  { members }: Observation,
): Promise<string | undefined> {
  const primary = members.find(({ role }) => role === 'primary');
  const beside = primary && ordinalOf(primary.name);
  if (beside === undefined || beside >= VOTERS || !record.isolated) return undefined;
  const signal = AbortSignal.timeout(VOTERS_MS);
  const own = clients.etcd(`etcd-${beside}`);
  try {
    const { id, leader } = await own.leadership(signal);
    if (id !== leader) return undefined;
    for (let n = 1; n < VOTERS; n += 1) {
      const voter = `etcd-${(beside + n) % VOTERS}`;
      if (!(await clients.etcd(voter).isHealthy(signal))) continue;
      await own.moveLeadership((await clients.etcd(voter).leadership(signal)).id, signal);
      return `made ${voter} lead the voters instead of etcd-${beside}, which shares a host with the primary`;
    }
  } catch {
    // A voter that does not answer is seen elsewhere; the next look tries again.
  }
  return undefined;
}
