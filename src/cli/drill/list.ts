import type { Scenario } from '../../core/drill/scenario.ts';
import { SCENARIOS } from '../../core/drill/scenarios.ts';
import { obstacleOf } from '../../drill/run/obstacles.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface ListedDrill {
  scenario: Scenario;
  /** Why it cannot run on the cluster that was named; undefined: it can, or none was named. */
  obstacle: string | undefined;
}

/** All drills, and what stands in their way on a cluster. */
export async function listDrills(session: Session, name: string | undefined): Promise<ListedDrill[]> {
  if (name === undefined) return SCENARIOS.map(scenario => ({ scenario, obstacle: undefined }));
  const cluster = await openCluster(session, name);
  const observed = await cluster.observe({ catalog: false, withoutConfig: true }, session.signal);
  const primary = observed.members.find(member => member.role === 'primary')?.name;
  return await Promise.all(
    SCENARIOS.map(async scenario => ({
      scenario,
      obstacle:
        primary === undefined
          ? 'the cluster has no primary now'
          : await obstacleOf(scenario, cluster, observed, primary),
    })),
  );
}
