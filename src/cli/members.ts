import type { MemberObservation } from '../core/topology/observation.ts';
import { formatAddress } from './endpoints.ts';
import type { Look } from './text/look.ts';
import { type Cell, table } from './text/table.ts';
import { formatAge, formatBytes, formatDuration } from './text/units.ts';

/** The table of members; what went wrong with one stands in its last column. */
export function memberTable(members: readonly MemberObservation[], now: Date, look: Look): string[] {
  const rows = sorted(members).map((member): Cell[] => [
    member.name,
    {
      text: member.role === 'unknown' ? '-' : member.role,
      paint: member.role === 'primary' ? look.strong : text => text,
    },
    { text: stateText(member), paint: statePaint(member, look) },
    member.timeline === undefined ? '-' : String(member.timeline),
    lagText(member),
    formatAddress({ host: member.address, port: member.port }),
    formatAge(member.since, now),
    { text: remark(member), paint: member.problem === undefined ? look.caution : look.bad },
  ]);
  const header = ['MEMBER', 'ROLE', 'STATE', 'TIMELINE', 'LAG', 'ADDRESS', 'SINCE', 'REMARK'];
  return table(rows, { header, paintHeader: look.faint, alignRight: [3] });
}

/** The primary first, then by name. */
export function sorted(members: readonly MemberObservation[]): MemberObservation[] {
  const rank = (member: MemberObservation): number => (member.role === 'primary' ? 0 : 1);
  return members.toSorted(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
}

/** Lag in bytes and seconds. */
export function lagText(member: MemberObservation): string {
  const { role, lagBytes, lagSeconds } = member;
  if (role === 'primary' || (lagBytes === undefined && lagSeconds === undefined)) return '-';
  const bytes = lagBytes === undefined ? '?' : formatBytes(lagBytes);
  const seconds = lagSeconds === undefined ? '?' : formatDuration(lagSeconds * 1000);
  return lagBytes === 0 && lagSeconds === 0 ? 'none' : `${bytes}, ${seconds}`;
}

/** State, with what commits wait for. */
export function stateText(member: MemberObservation): string {
  return member.synchronous && member.role !== 'primary' ? `${member.state}, synchronous` : member.state;
}

/** Green where all is well, red where a member does not serve. */
export function statePaint(member: MemberObservation, look: Look): (text: string) => string {
  switch (member.state) {
    case 'streaming':
      return look.good;
    case 'running':
      return member.role === 'primary' ? look.good : look.caution;
    case 'starting':
    case 'creating':
      return look.caution;
    case 'stopped':
    case 'failed':
    case 'lost':
      return look.bad;
  }
}

function remark(member: MemberObservation): string {
  if (member.problem !== undefined) return member.problem;
  return member.pendingRestart ? 'restart pending' : '';
}
