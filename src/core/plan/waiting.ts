import { claimants, complaintAbout } from '../topology/members.ts';
import { type Situation, synchronousShortfall } from './situation.ts';

/** What only needs time, most important first; empty when the cluster is whole but for the steps. */
export function whatIsAwaited(situation: Situation): string[] {
  const { observed, primary, spec } = situation;
  const sentences: string[] = [];
  const claims = claimants(observed);
  if (claims.length > 1) {
    sentences.push(
      `${claims.map(member => member.name).join(' and ')} both claim to be primary: Patroni has to demote one`,
    );
  } else if (primary === undefined) {
    sentences.push('no primary yet');
  }
  sentences.push(...dcsWaits(situation));
  for (const name of situation.staying) {
    // What does not run is a step, not a wait.
    if (situation.components.get(name)?.running !== true) continue;
    const member = situation.members.get(name);
    if (member === undefined) {
      sentences.push(`${name} has not reported yet`);
      continue;
    }
    const complaint = complaintAbout(member, primary, spec.patroni.maximumLagOnFailover);
    if (complaint !== undefined) sentences.push(`${name} ${complaint}`);
  }
  if (primary === undefined) return sentences;
  const shortfall = synchronousShortfall(situation);
  if (shortfall !== undefined) sentences.push(shortfall);
  if (observed.config === undefined) sentences.push("Patroni's configuration cannot be seen yet");
  if (observed.catalog === undefined) sentences.push('roles and databases cannot be seen yet');
  return sentences;
}

function dcsWaits({ observed: { dcs } }: Situation): string[] {
  if (dcs === undefined) return ['the DCS cannot be seen yet'];
  const missing = dcs.voters - dcs.healthyVoters;
  return missing === 0
    ? []
    : [`${missing} of ${dcs.voters} DCS voters ${missing === 1 ? 'does' : 'do'} not answer`];
}
