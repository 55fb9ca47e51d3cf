import { fenceAccusations, revokeAccusation, seconds } from './accusations.ts';
import type { Decision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { type Facts, factsOf } from './facts.ts';
import { fenceVetoes } from './fenceVetoes.ts';
import { holdOrResume, wake } from './hold.ts';
import { defaultThresholds, type Thresholds } from './thresholds.ts';
import { revokeVetoes, takeover, vetoesOf } from './vetoes.ts';

/**
 * What to do now, in this order: hold, wake, fence, revoke, resume; then what was withheld, and why. Never empty:
 * `nothing` stands alone. A pure function of the evidence; whoever acts tells it by `taken`.
 *
 * A member that is fenced in this look is not revoked in it: the end of its process comes first.
 */
export function decide(
  evidence: Evidence,
  thresholds: Readonly<Thresholds> = defaultThresholds,
): [Decision, ...Decision[]] {
  const facts = factsOf(evidence);
  const fences = fenceDecisions(evidence, thresholds, facts);
  const fencesPrimary = fences.some(
    decision => decision.kind === 'fence' && decision.member === evidence.watch?.member,
  );
  const revocation = fencesPrimary ? undefined : revokeDecision(evidence, thresholds, facts);
  const judged = [...fences, ...(revocation === undefined ? [] : [revocation])];
  const acts = judged.filter(({ kind }) => kind !== 'withheld');
  const withheld = judged.filter(({ kind }) => kind === 'withheld');
  const pause = holdOrResume(evidence, thresholds, facts, fencesPrimary);
  const first = pause.filter(({ kind }) => kind === 'hold');
  const last = pause.filter(({ kind }) => kind === 'resume');
  const [head, ...rest] = [...first, ...wake(evidence, facts), ...acts, ...last, ...withheld];
  if (head !== undefined) return [head, ...rest];
  return [{ kind: 'nothing', reason: nothingBecause(evidence), evidence: facts }];
}

/** At most one per member: the gravest that no veto stops. */
function fenceDecisions(evidence: Evidence, thresholds: Readonly<Thresholds>, facts: Facts): Decision[] {
  const decided = new Set<string>();
  const decisions: Decision[] = [];
  for (const accusation of fenceAccusations(evidence, thresholds)) {
    const { cause, member, sentence } = accusation;
    if (decided.has(member)) continue;
    const vetoes = vetoesOf(fenceVetoes[cause], evidence, thresholds, accusation);
    const common = { member, why: cause, evidence: facts };
    if (vetoes.length === 0) {
      decided.add(member);
      const reason = `${sentence}: its PostgreSQL is killed before anybody takes over`;
      decisions.push({ kind: 'fence', how: 'kill-postmaster', reason, ...common });
    } else {
      const reason = `${sentence}; it is not fenced, because ${vetoes.map(veto => veto.sentence).join('; ')}`;
      decisions.push({ kind: 'withheld', of: 'fence', vetoes, reason, ...common });
    }
  }
  return decisions;
}

function revokeDecision(
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
  facts: Facts,
): Decision | undefined {
  const accusation = revokeAccusation(evidence, thresholds);
  const { watch } = evidence;
  if (accusation === undefined || watch === undefined) return undefined;
  const { cause, member, sentence } = accusation;
  const vetoes = vetoesOf(revokeVetoes, evidence, thresholds, accusation);
  const common = { why: cause, evidence: facts };
  if (vetoes.length > 0) {
    const reason = `${sentence}; its key is not revoked, because ${vetoes.map(veto => veto.sentence).join('; ')}`;
    return { kind: 'withheld', of: 'revoke', member, vetoes, reason, ...common };
  }
  const heir = takeover(evidence, member);
  const reason = `${sentence}; ${heir} has every acknowledged write and can take over`;
  return { kind: 'revoke', leader: member, heir, revision: watch.revision, reason, ...common };
}

function nothingBecause({ watch, hold, at }: Evidence): string {
  if (watch === undefined) return 'no primary is known yet';
  if (hold !== undefined)
    return `clients have been held for ${seconds(at - hold.since)}, a primary is awaited`;
  if (watch.doubtSince !== undefined)
    return `${watch.member} is in doubt for ${seconds(at - watch.doubtSince)}`;
  return `${watch.member} is well`;
}
