import type { MemberObservation } from '../topology/observation.ts';
import type { Step } from './action.ts';
import { switchoverCandidate, whyNoCandidate } from './candidate.ts';
import { differing } from './components.ts';
import type { ConfigChange } from './configDiff.ts';
import {
  byOrdinal,
  type Situation,
  synchronousShortfall,
  whoIsUnwell,
  whyNotDestructive,
} from './situation.ts';
import { shown } from './values.ts';

/** What a restart brings into force: parameter to old and new value; undefined: could not be seen. */
type RestartReason = Record<string, { from: string | undefined; to: string | undefined }> | undefined;

/** Why a member has to be restarted: Patroni itself with PostgreSQL (`process`), or PostgreSQL through Patroni. */
type Need = { what: 'process'; text: string } | { what: 'postgres'; text: string; reason: RestartReason };

/**
 * A standby refuses to run with less of these than the primary has, and Patroni holds such a restart back on
 * standbys: a decrease reaches the primary first.
 */
export const primaryFirst: ReadonlySet<string> = new Set([
  'max_connections',
  'max_prepared_transactions',
  'max_locks_per_transaction',
  'max_worker_processes',
  'max_wal_senders',
]);

/**
 * Restarts of members, one at a time: standbys, then the primary, then the standbys that only wait for a decrease
 * on the primary. `foreseen` are changes that are about to be patched and need a restart; `configBlocked` says why
 * that patch waits. Each step only while all other members are well and the synchronous promise holds.
 */
export function planMemberRestarts(
  situation: Situation,
  foreseen: ConfigChange[],
  configBlocked: string | undefined,
): Step[] {
  const needs = needsOf(situation, foreseen);
  const { primary } = situation;
  const standbys = [...needs.keys()].filter(name => name !== primary?.name).sort(gentlestFirst(situation));
  const early = standbys.filter(name => !onlyDecreases(needs.get(name)));
  const late = standbys.filter(name => onlyDecreases(needs.get(name)));
  const steps = early.map(name => restartOf(situation, name, needs.get(name)));
  const own = primary === undefined ? undefined : needs.get(primary.name);
  if (primary !== undefined && own !== undefined) steps.push(...primarySteps(situation, primary, own));
  // Restarted before the primary has the lower value, a standby would keep the higher one and ask again.
  const primaryLacks =
    own === undefined && primary?.pendingRestart ? `${primary.name} has to be restarted first` : undefined;
  for (const name of late) {
    const step = restartOf(situation, name, needs.get(name));
    steps.push({ ...step, blockedBy: primaryLacks ?? step.blockedBy });
  }
  return chained(steps, configBlocked ?? whyNotDestructive(situation) ?? synchronousShortfall(situation));
}

/** Once a step waits, those after it wait as well: the order is part of the safety. */
export function chained(steps: Step[], why: string | undefined): Step[] {
  let blockedBy = why;
  return steps.map(step => {
    blockedBy ??= step.blockedBy;
    return { ...step, blockedBy };
  });
}

function needsOf(situation: Situation, foreseen: ConfigChange[]): Map<string, Need> {
  const needs = new Map<string, Need>();
  for (const member of situation.members.values()) {
    const isPrimary = member.name === situation.primary?.name;
    const component = situation.components.get(member.name);
    if (component?.running !== true) continue;
    const stays = situation.wanted.has(member.name);
    // A leftover standby goes away anyway; a leftover primary has to pass on its values before it goes.
    if (!stays && !isPrimary) continue;
    if (component.outdated === 'restart' && stays) {
      needs.set(member.name, { what: 'process', text: differing(component.differences) });
    } else if (member.state === 'running' || member.state === 'streaming') {
      const need = postgresNeed(member, foreseen);
      if (need !== undefined) needs.set(member.name, need);
    }
  }
  return needs;
}

function postgresNeed(member: MemberObservation, foreseen: ConfigChange[]): Need | undefined {
  if (!member.pendingRestart && foreseen.length === 0) return undefined;
  const coming = Object.fromEntries(
    foreseen.map(({ name, from, to }) => [name, { from: textOf(from), to: textOf(to) }]),
  );
  const reason = { ...member.pendingRestartReason, ...coming };
  const known = !member.pendingRestart || Object.keys(member.pendingRestartReason ?? {}).length > 0;
  const text = Object.entries(reason)
    .map(([name, { from, to }]) => `${name} ${shown(from)} → ${shown(to)}`)
    .join(', ');
  return {
    what: 'postgres',
    text:
      text === ''
        ? 'a changed parameter takes effect at a restart only'
        : `${text} takes effect at a restart only`,
    reason: known ? reason : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : shown(value);
}

function onlyDecreases(need: Need | undefined): boolean {
  if (need?.what !== 'postgres' || need.reason === undefined) return false;
  return Object.entries(need.reason).every(
    ([name, { from, to }]) =>
      primaryFirst.has(name) && from !== undefined && to !== undefined && Number(to) < Number(from),
  );
}

/** Standbys that no commit waits for come first; broken ones before those, for it may heal them. */
function gentlestFirst({ members }: Situation): (a: string, b: string) => number {
  const weight = (name: string): number => {
    const member = members.get(name);
    return member?.state !== 'streaming' ? 0 : member.synchronous ? 2 : 1;
  };
  return (a, b) => weight(a) - weight(b) || byOrdinal(a, b);
}

function restartOf(situation: Situation, name: string, need: Need | undefined): Step {
  const role = name === situation.primary?.name ? 'primary' : 'standby';
  return {
    action:
      need?.what === 'process'
        ? { kind: 'restart', component: name, componentKind: 'member' }
        : { kind: 'restart-member', member: name },
    summary:
      need?.what === 'process'
        ? `restart ${role} ${name} with its Patroni`
        : `restart PostgreSQL of ${role} ${name}`,
    reason: need?.text ?? '',
    impact: 'interruption',
    blockedBy: whoIsUnwell(situation, name),
  };
}

/** PostgreSQL restarts in place; Patroni itself only on a member that is no longer primary, where there is another. */
function primarySteps(situation: Situation, primary: MemberObservation, need: Need): Step[] {
  const restart = restartOf(situation, primary.name, need);
  const alone = situation.staying.every(name => name === primary.name);
  if (alone) return [{ ...restart, summary: `${restart.summary} (no other member can take over meanwhile)` }];
  if (need.what === 'postgres') return [restart];
  const to = switchoverCandidate(situation);
  return [
    {
      action: { kind: 'switchover', from: primary.name, to },
      summary:
        to === undefined ? `switch over from ${primary.name}` : `switch over from ${primary.name} to ${to}`,
      reason: `${primary.name} has to be restarted: ${need.text}`,
      impact: 'interruption',
      blockedBy: whoIsUnwell(situation, undefined) ?? whyNoCandidate(situation),
    },
    { ...restart, summary: `restart ${primary.name} with its Patroni` },
  ];
}
