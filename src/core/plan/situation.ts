import type { ClusterSpec } from '../manifest/spec.ts';
import {
  claimants,
  complaintAbout,
  requiredSynchronous,
  synchronousStandbys,
  thePrimary,
} from '../topology/members.ts';
import type {
  ComponentKind,
  ComponentObservation,
  MemberObservation,
  Observation,
} from '../topology/observation.ts';
import type { Desired } from './action.ts';

/** What every part of the plan asks of desired state and observation, worked out once. */
export interface Situation {
  desired: Desired;
  spec: ClusterSpec;
  observed: Observation;
  /** Names of what should exist. */
  wanted: ReadonlyMap<string, ComponentKind>;
  components: ReadonlyMap<string, ComponentObservation>;
  members: ReadonlyMap<string, MemberObservation>;
  /** Names of the members that should exist, in order of their ordinals. */
  staying: string[];
  /** The one member that is primary and runs; undefined when there is none or more than one. */
  primary: MemberObservation | undefined;
}

export function situationOf(desired: Desired, observed: Observation): Situation {
  return {
    desired,
    spec: desired.spec,
    observed,
    wanted: new Map(desired.components.map(component => [component.name, component.kind])),
    components: new Map(observed.components.map(component => [component.name, component])),
    members: new Map(observed.members.map(member => [member.name, member])),
    staying: desired.components
      .filter(component => component.kind === 'member')
      .map(component => component.name)
      .sort(byOrdinal),
    primary: thePrimary(observed),
  };
}

/** The number at the end of a member's name. */
function ordinalOf(name: string): number {
  const match = /-(\d+)$/.exec(name);
  return match === null ? -1 : Number(match[1]);
}

export function byOrdinal(a: string, b: string): number {
  return ordinalOf(a) - ordinalOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Why nothing but starting servers may be done now; undefined when more may be done. */
export function whyOnlyStarts({ observed, primary }: Situation): string | undefined {
  const { dcs } = observed;
  if (dcs === undefined) return 'the DCS cannot be seen';
  if (dcs.healthyVoters * 2 <= dcs.voters) {
    return `the DCS has no quorum: ${dcs.healthyVoters} of ${dcs.voters} voters answer`;
  }
  const claims = claimants(observed);
  if (claims.length > 1) {
    return `${claims.map(member => member.name).join(' and ')} both claim to be primary`;
  }
  return primary === undefined ? 'there is no primary' : undefined;
}

/** Why no server may be interrupted now, whichever it is. */
export function whyNotDestructive(situation: Situation): string | undefined {
  const { dcs } = situation.observed;
  const missing = dcs === undefined ? 0 : dcs.voters - dcs.healthyVoters;
  return (
    whyOnlyStarts(situation) ??
    (missing > 0 ? `${missing} of ${dcs?.voters} DCS voters does not answer` : undefined)
  );
}

/**
 * The first member that should exist and is not well, as a sentence; undefined when all are.
 * Members that are to go do not count: a broken one must not hold up the others.
 */
export function whoIsUnwell(situation: Situation, except: string | undefined): string | undefined {
  for (const name of situation.staying) {
    if (name === except) continue;
    const member = situation.members.get(name);
    if (member === undefined) return `${name} has not joined`;
    if (situation.components.get(name)?.running !== true) return `${name} does not run`;
    const complaint = complaintAbout(member, situation.primary, situation.spec.patroni.maximumLagOnFailover);
    if (complaint !== undefined) return `${name} ${complaint}`;
  }
  return undefined;
}

/** What the synchronous promise lacks, as a sentence; undefined when it holds or none is made. */
export function synchronousShortfall({ spec, observed }: Situation): string | undefined {
  const required = requiredSynchronous(spec);
  const have = synchronousStandbys(observed).length;
  if (have >= required) return undefined;
  return required === 1
    ? 'synchronous standby not yet chosen'
    : `synchronous standbys not yet chosen (${have} of ${required})`;
}
