import type { Step } from './action.ts';
import { switchoverCandidate, whyNoCandidate } from './candidate.ts';
import { chained } from './memberRestarts.ts';
import {
  byOrdinal,
  type Situation,
  synchronousShortfall,
  whoIsUnwell,
  whyNotDestructive,
} from './situation.ts';

/**
 * Removes members that the manifest no longer asks for, highest ordinal first. A primary among them is never
 * removed as such: it hands over to a member that stays. Where none can take over yet (Patroni may have chosen a
 * synchronous standby that goes too), the other ones go first, until Patroni has chosen one that stays.
 */
export function planScaleDown(situation: Situation): Step[] {
  const leaving = leavingMembers(situation);
  if (leaving.length === 0) return [];
  const { primary, spec } = situation;
  const leavingPrimary = primary !== undefined && leaving.includes(primary.name) ? primary.name : undefined;
  const steps: Step[] = [];
  if (leavingPrimary === undefined) {
    steps.push(...leaving.map(name => removal(situation, name)));
  } else {
    const to = switchoverCandidate(situation);
    const standbys = leaving.filter(name => name !== leavingPrimary).map(name => removal(situation, name));
    const handover: Step = {
      action: { kind: 'switchover', from: leavingPrimary, to },
      summary:
        to === undefined
          ? `switch over from ${leavingPrimary} to a member that stays`
          : `switch over from ${leavingPrimary} to ${to}`,
      reason: `${leavingPrimary} is the primary and is to be removed: ${instancesAsked(spec.instances)}`,
      impact: 'interruption',
      blockedBy: whyNoCandidate(situation),
    };
    if (to === undefined) steps.push(...standbys, handover, removal(situation, leavingPrimary));
    else steps.push(handover, ...leaving.map(name => removal(situation, name)));
  }
  return chained(steps, whyNothingGoes(situation));
}

function leavingMembers({ observed, wanted }: Situation): string[] {
  const names = new Set(observed.members.map(member => member.name));
  for (const component of observed.components) if (component.kind === 'member') names.add(component.name);
  return [...names].filter(name => !wanted.has(name)).sort((a, b) => byOrdinal(b, a));
}

function removal(situation: Situation, name: string): Step {
  return {
    action: { kind: 'remove', component: name, componentKind: 'member' },
    summary: `remove member ${name}; its data directory is set aside`,
    reason: instancesAsked(situation.spec.instances),
    impact: 'removal',
  };
}

function instancesAsked(instances: number): string {
  return `the manifest asks for ${instances} ${instances === 1 ? 'instance' : 'instances'}`;
}

function whyNothingGoes(situation: Situation): string | undefined {
  const { spec, staying } = situation;
  if (staying.length === 0) return 'no member would stay';
  if (staying.length === 1 && spec.patroni.synchronousMode === 'strict') {
    return 'strict synchronous mode takes no write without a standby: ask for two instances or another mode';
  }
  return whyNotDestructive(situation) ?? whoIsUnwell(situation, undefined) ?? synchronousShortfall(situation);
}
