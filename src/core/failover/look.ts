import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { observe } from './observe.ts';
import type { Sample } from './sample.ts';
import { defaultThresholds, type Thresholds } from './thresholds.ts';

/**
 * The memory once the decisions were taken. To be kept before they are carried out: a revocation whose outcome stays
 * unknown must count for the cool-down all the same.
 */
export function taken(memory: Evidence, decisions: readonly Decision[]): Evidence {
  return decisions.reduce(take, memory);
}

function take(memory: Evidence, decision: Decision): Evidence {
  const { at } = memory;
  switch (decision.kind) {
    case 'hold':
      return { ...memory, hold: { since: at, untilAt: decision.untilAt } };
    case 'resume':
      return { ...memory, hold: undefined, gaveUp: decision.why === 'limit' };
    case 'wake':
      return { ...memory, watch: memory.watch === undefined ? undefined : { ...memory.watch, woken: true } };
    case 'fence':
      return { ...memory, fences: { ...memory.fences, [decision.member]: { at, sent: undefined } } };
    case 'revoke':
      return { ...memory, revoked: { member: decision.leader, revision: decision.revision, at } };
    case 'nothing':
    case 'withheld':
      return memory;
  }
}

/** One look: what is known now, what to do, and the memory for the next look. */
export function look(
  memory: Evidence,
  sample: Sample,
  thresholds: Readonly<Thresholds> = defaultThresholds,
): { memory: Evidence; decisions: [Decision, ...Decision[]] } {
  const evidence = observe(memory, sample, thresholds);
  const decisions = decide(evidence, thresholds);
  return { memory: taken(evidence, decisions), decisions };
}
