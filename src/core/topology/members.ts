import type { ClusterSpec } from '../manifest/spec.ts';
import type { MemberObservation, Observation } from './observation.ts';

/** Members that say they are primary and run. More than one: split brain, or a demotion under way. */
export function claimants(observed: Observation): MemberObservation[] {
  return observed.members.filter(member => member.role === 'primary' && member.state === 'running');
}

/** The primary, if exactly one member runs as such. */
export function thePrimary(observed: Observation): MemberObservation | undefined {
  const claims = claimants(observed);
  return claims.length === 1 ? claims[0] : undefined;
}

/** Standbys that commits wait for and that stream. */
export function synchronousStandbys(observed: Observation): MemberObservation[] {
  return observed.members.filter(
    member => member.synchronous && member.role === 'standby' && member.state === 'streaming',
  );
}

/**
 * How many synchronous standbys the manifest promises. Patroni takes fewer than synchronous_node_count where
 * there are fewer standbys; the strict mode takes no write without at least one.
 */
export function requiredSynchronous(spec: ClusterSpec): number {
  if (spec.patroni.synchronousMode === 'async' || spec.instances === 0) return 0;
  const possible = Math.max(0, Math.min(spec.patroni.synchronousNodeCount, spec.instances - 1));
  return spec.patroni.synchronousMode === 'strict' ? Math.max(1, possible) : possible;
}

/**
 * What is wrong with a member, as the end of a sentence that begins with its name; undefined when it is a
 * running primary, or a standby that streams on the primary's timeline within the permitted lag.
 */
export function complaintAbout(
  member: MemberObservation,
  primary: MemberObservation | undefined,
  maximumLag: number,
): string | undefined {
  if (member.state === 'lost') return 'does not answer';
  if (member.state === 'failed') return member.problem === undefined ? 'failed' : `failed: ${member.problem}`;
  if (member.state === 'stopped') return 'is stopped';
  if (member.state === 'starting') return 'is starting';
  if (member.state === 'creating')
    return primary === undefined ? 'is being created' : 'is being created from the primary';
  if (member.role === 'unknown') return 'has no known role';
  if (member.role === 'primary') return member.state === 'running' ? undefined : 'is not a running primary';
  if (member.state === 'running') return 'does not stream from the primary';
  if (differs(member.timeline, primary?.timeline)) {
    return `is on timeline ${member.timeline} instead of ${primary?.timeline}`;
  }
  if (member.lagBytes !== undefined && member.lagBytes > maximumLag) {
    return `lags by ${member.lagBytes} bytes (at most ${maximumLag} are permitted)`;
  }
  // The standby endpoint asks the same: it sends such a member no reads.
  if (member.replayLagBytes !== undefined && member.replayLagBytes > maximumLag) {
    return `has ${member.replayLagBytes} bytes to replay (at most ${maximumLag} are permitted): it serves no reads`;
  }
  return undefined;
}

function differs(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}
