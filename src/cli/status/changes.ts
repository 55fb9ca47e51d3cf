import type { MemberObservation } from '../../core/topology/observation.ts';
import { ENDPOINT_NAMES, ENDPOINT_WORDS, formatAddress } from '../endpoints.ts';
import { stateText } from '../members.ts';
import type { StatusOutcome } from './handler.ts';

/**
 * What is different from the last observation, one line each; all there is to say at the first one. Lag and
 * ages change all the time and are no news.
 */
export function changesBetween(last: StatusOutcome | undefined, now: StatusOutcome): string[] {
  const lines: string[] = [];
  if (last?.verdict.sentence !== now.verdict.sentence) lines.push(now.verdict.sentence);
  lines.push(...memberChanges(last?.observed.members ?? [], now.observed.members));
  if (last === undefined) return lines;

  const before = new Map(last.observed.components.map(component => [component.name, component]));
  for (const { name, kind, running } of now.observed.components) {
    const known = before.get(name);
    before.delete(name);
    // Members say more about themselves above.
    if (kind === 'member' || known?.running === running) continue;
    lines.push(`${name}: ${running ? 'running' : 'stopped'}`);
  }
  for (const [name, { kind }] of before) if (kind !== 'member') lines.push(`${name}: removed`);
  for (const word of ENDPOINT_WORDS) {
    const old = last.observed.endpoints[ENDPOINT_NAMES[word]];
    const address = now.observed.endpoints[ENDPOINT_NAMES[word]];
    const text = address === undefined ? 'removed' : formatAddress(address);
    if ((old === undefined ? 'removed' : formatAddress(old)) !== text)
      lines.push(`endpoint ${word}: ${text}`);
  }
  if (last.observed.controlPlane?.running !== now.observed.controlPlane?.running) {
    lines.push(`control plane: ${now.observed.controlPlane?.running === true ? 'running' : 'not running'}`);
  }
  return lines;
}

function memberChanges(last: readonly MemberObservation[], now: readonly MemberObservation[]): string[] {
  const before = new Map(last.map(member => [member.name, describe(member)]));
  const lines = now.flatMap(member => {
    const text = describe(member);
    const known = before.get(member.name);
    before.delete(member.name);
    return known === text ? [] : [`${member.name}: ${text}`];
  });
  return [...lines, ...[...before.keys()].map(name => `${name}: removed`)];
}

function describe(member: MemberObservation): string {
  const { role, timeline, pendingRestart, problem } = member;
  return [
    role === 'unknown' ? 'role unknown' : role,
    stateText(member),
    ...(timeline === undefined ? [] : [`timeline ${timeline}`]),
    ...(pendingRestart ? ['restart pending'] : []),
    ...(problem === undefined ? [] : [problem]),
  ].join(', ');
}
