import type { MemberObservation } from '../../core/topology/observation.ts';
import { head, memberDocument } from '../documents.ts';
import { formatAddress } from '../endpoints.ts';
import { lagText, sorted, statePaint, stateText } from '../members.ts';
import type { TopologyDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import type { StatusOutcome } from '../status/handler.ts';
import { type Cell, table } from '../text/table.ts';
import { formatAge } from '../text/units.ts';

/** The topology as JSON. */
export function topologyToDocument({ ref, observed }: StatusOutcome): TopologyDocument {
  const members = sorted(observed.members);
  const primary = members.find(member => member.role === 'primary');
  return {
    ...head(ref),
    primary: primary?.name ?? null,
    timeline: primary?.timeline ?? null,
    members: members.map(memberDocument),
    observedAt: observed.observedAt,
  };
}

/** The primary with what follows it below. */
export function topologyText({ ref, observed }: StatusOutcome, session: Session): string {
  const { look } = session;
  const members = sorted(observed.members);
  const primary = members.find(member => member.role === 'primary');
  const others = members.filter(member => member !== primary);
  const cells = (member: MemberObservation, prefix: string): Cell[] => [
    `${prefix}${member.name}`,
    member.role === 'unknown' ? '-' : member.role,
    { text: stateText(member), paint: statePaint(member, look) },
    timelineText(member, primary),
    member.role === 'primary' ? '' : `lag ${lagText(member)}`,
    { text: formatAddress({ host: member.address, port: member.port }), paint: look.faint },
    { text: member.problem ?? '', paint: look.bad },
  ];
  const rows = [
    ...(primary === undefined ? [[{ text: '(no primary)', paint: look.bad }]] : [cells(primary, '')]),
    ...others.map((member, i) => cells(member, i === others.length - 1 ? '└─ ' : '├─ ')),
  ];
  const age = look.faint(`observed ${formatAge(observed.observedAt, session.now())} ago`);
  return [`${look.strong(ref.name)} ${age}`, ...table(rows)].join('\n');
}

/** A standby on another timeline than the primary's cannot follow it: that must be seen. */
function timelineText(member: MemberObservation, primary: MemberObservation | undefined): Cell {
  if (member.timeline === undefined) return 'timeline ?';
  const differs = primary?.timeline !== undefined && primary.timeline !== member.timeline;
  return differs ? `timeline ${member.timeline}, not ${primary.timeline}` : `timeline ${member.timeline}`;
}
