import { applyManifest } from '../../control/up.ts';
import type { Step } from '../../core/plan/action.ts';
import type { Observation } from '../../core/topology/observation.ts';
import type { ClusterRef, PlacementOptions } from '../../platform/contract.ts';
import { type Manifest, readManifest } from '../manifest.ts';
import type { Session } from '../session.ts';

export interface PlanOutcome {
  ref: ClusterRef;
  manifest: Manifest;
  creates: boolean;
  steps: Step[];
  waiting: string[];
  observed: Observation;
  notes: string[];
}

/** What `up` would do now. Changes nothing. */
export async function plan(
  session: Session,
  file: string,
  placement: PlacementOptions,
): Promise<PlanOutcome> {
  const manifest = await readManifest(file, session.globals, session.surroundings);
  const platform = await session.platform();
  const result = await applyManifest(platform, manifest.spec, manifest.text, placement, {
    ...session.context,
    lockWaitMs: 0,
    timeoutMs: 0,
    dryRun: true,
    onStep: () => {},
  });
  const { steps, waiting, observed } = result;
  const cluster = session.scope.use(result.cluster);
  return {
    ref: cluster.ref,
    manifest,
    creates: result.created,
    steps,
    waiting,
    observed,
    notes: cluster.notes,
  };
}
