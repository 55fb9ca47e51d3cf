import type { MemberObservation, Observation } from '../../topology/observation.ts';
import type { Desired, Step } from '../action.ts';
import { plan } from '../plan.ts';
import { makeDesired, makeHealthy, makeSpec } from './fixture.ts';

export function member(observed: Observation, name: string): MemberObservation {
  const found = observed.members.find(candidate => candidate.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found;
}

export function change(
  observed: Observation,
  name: string,
  how: Partial<Observation['components'][number]>,
): void {
  Object.assign(observed.components.find(component => component.name === name) ?? {}, how);
}

export function summaries(steps: Step[]): string[] {
  return steps.map(step =>
    step.blockedBy === undefined ? step.summary : `(${step.blockedBy}) ${step.summary}`,
  );
}

export function planned(desired: Desired, observed: Observation): string[] {
  return summaries(plan(desired, observed).steps);
}

/** The cluster as its manifest asked, and the manifest to come. */
export function changed(before: Parameters<typeof makeSpec>[0], after: Parameters<typeof makeSpec>[0]) {
  return { observed: makeHealthy(makeDesired(makeSpec(before))), desired: makeDesired(makeSpec(after)) };
}
