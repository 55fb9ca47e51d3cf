import { complaintAbout } from '../topology/members.ts';
import type { MemberObservation } from '../topology/observation.ts';
import { byOrdinal, type Situation } from './situation.ts';

/**
 * The member to switch over to: one that stays, streams on the primary's timeline with a known lag within the
 * permitted one, and, in the synchronous modes, is a synchronous standby. The least lag wins.
 */
export function switchoverCandidate(situation: Situation): string | undefined {
  const { spec, primary, staying, members, components } = situation;
  if (primary === undefined) return undefined;
  const fit = staying
    .map(name => members.get(name))
    .filter((member): member is MemberObservation => {
      if (member === undefined || member.name === primary.name || member.role !== 'standby') return false;
      if (member.state !== 'streaming' || member.lagBytes === undefined) return false;
      if (components.get(member.name)?.running !== true) return false;
      if (spec.patroni.synchronousMode !== 'async' && spec.instances > 1 && !member.synchronous) return false;
      return complaintAbout(member, primary, spec.patroni.maximumLagOnFailover) === undefined;
    });
  fit.sort(
    (a, b) =>
      Number(b.synchronous) - Number(a.synchronous) ||
      (a.lagBytes ?? 0) - (b.lagBytes ?? 0) ||
      byOrdinal(a.name, b.name),
  );
  return fit[0]?.name;
}

/** Why there is no candidate, as a sentence; undefined when there is one. */
export function whyNoCandidate(situation: Situation): string | undefined {
  if (switchoverCandidate(situation) !== undefined) return undefined;
  const kind = situation.spec.patroni.synchronousMode === 'async' ? 'streaming' : 'synchronous';
  return `no ${kind} standby among the members that stay could take over`;
}
