import type { Step } from '../core/plan/action.ts';
import type { MemberObservation } from '../core/topology/observation.ts';
import type { ClusterRef } from '../platform/contract.ts';
import type { MemberDocument, StepDocument } from './schema.ts';

/** The keys that every document about a cluster begins with. */
export function head(ref: ClusterRef): { schema: 1; cluster: string; namespace: string } {
  return { schema: 1, cluster: ref.name, namespace: ref.namespace };
}

/** A member as JSON shows it. Keys are always there: null is "could not be seen". */
export function memberDocument(member: MemberObservation): MemberDocument {
  return {
    name: member.name,
    role: member.role,
    state: member.state,
    timeline: member.timeline ?? null,
    lagBytes: member.lagBytes ?? null,
    lagSeconds: member.lagSeconds ?? null,
    address: member.address,
    port: member.port,
    pendingRestart: member.pendingRestart,
    since: member.since ?? null,
    synchronous: member.synchronous,
    problem: member.problem ?? null,
  };
}

/** A step as JSON shows it: what to do is for us, what it means is for tools. */
export function stepDocument(step: Step): StepDocument {
  const { action, summary, reason, impact, blockedBy } = step;
  return { kind: action.kind, summary, reason, impact, blockedBy: blockedBy ?? null };
}

/** Milliseconds as the seconds of a document. */
export function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
