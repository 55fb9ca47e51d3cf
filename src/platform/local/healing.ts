/** The control plane's own small repairs, which interrupt nothing. */
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { lockHolder } from '../../lib/process.ts';
import { type Machine, reloadComponent, startSupervisor } from './apply.ts';
import { retarget } from './poolerTargets.ts';
import { readRecord } from './record.ts';

/** Resolves with what was done. */
export async function heal(machine: Machine, spec: ClusterSpec, observed: Observation): Promise<string[]> {
  const done: string[] = [];
  if (!(await machine.supervisor.isRunning()) && (await shouldRun(machine))) {
    await startSupervisor(machine);
    done.push('started the supervisor of the servers again');
  }
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
