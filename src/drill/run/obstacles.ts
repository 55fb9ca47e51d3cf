/** Why a drill cannot run on a cluster, found before anything is touched. */
import type { Scenario } from '../../core/drill/scenario.ts';
import type { Observation } from '../../core/topology/observation.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { situationOf } from './steps.ts';

/** A sentence for people; undefined: it can run. */
export async function obstacleOf(
  scenario: Scenario,
  cluster: PlatformCluster,
  observed: Observation,
  primary: string,
): Promise<string | undefined> {
  const { needs, steps } = scenario;
  const { spec } = cluster;
  if (needs.backups === true) {
    const without = await backupObstacle(cluster);
    if (without !== undefined) return without;
  }
  if (spec.instances < needs.instances) {
    return `it needs ${needs.instances} instances, and the manifest asks for ${spec.instances}`;
  }
  if (needs.pooler === true && !spec.pooler.primary) return 'it needs a pooler (enableConnectionPooler)';
  if (needs.synchronous === true && spec.patroni.synchronousMode === 'async') {
    return 'it needs a synchronous mode (patroni.synchronous_mode)';
  }
  if (steps.some(step => step.do === 'storm')) {
    const between = await cluster.access.reach(AbortSignal.timeout(LOOK_MS));
    if (between !== undefined) return `so many clients would be ${between}`;
  }
  const at = situationOf(observed, primary, cluster.backups.repositories);
  for (const step of steps) {
    if (step.do !== 'inject') continue;
    const faults = step.faults(at);
    if (faults.length === 0) return 'there is nobody to inject the fault into';
    for (const fault of faults) {
      const obstacle = await cluster.faults.obstacle(fault);
      if (obstacle !== undefined) return obstacle;
    }
  }
  return undefined;
}

const LOOK_MS = 60_000;

async function backupObstacle(cluster: PlatformCluster): Promise<string | undefined> {
  const [first] = cluster.backups.repositories;
  if (first === undefined) return 'it needs backups, and the manifest asks for no repository';
  const { repositories } = await cluster.backups.observe({ archive: false }, AbortSignal.timeout(LOOK_MS));
  const taken = repositories.find(({ name }) => name === first)?.backups.length ?? 0;
  return taken > 0
    ? undefined
    : `it needs a backup in ${first}: take one with pgherd backup ${cluster.ref.name}`;
}
