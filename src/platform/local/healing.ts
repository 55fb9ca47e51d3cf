/** The control plane's own small repairs, which interrupt nothing. */
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { type Machine, reloadComponent, startSupervisor } from './apply.ts';
import { retarget } from './poolerTargets.ts';

/** Resolves with what was done. */
export async function heal(machine: Machine, spec: ClusterSpec, observed: Observation): Promise<string[]> {
  const done: string[] = [];
  if (!machine.record.stopped && !(await machine.supervisor.isRunning())) {
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
