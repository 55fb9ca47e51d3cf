import { claimants } from '../topology/members.ts';
import type { ComponentKind, ComponentObservation } from '../topology/observation.ts';
import type { Step } from './action.ts';
import { byOrdinal, type Situation, whyNotDestructive, whyOnlyStarts } from './situation.ts';

const order: Record<ComponentKind, number> = { etcd: 0, member: 1, pooler: 2, poolerStandby: 3, proxy: 4 };

const words: Record<ComponentKind, string> = {
  etcd: 'etcd',
  member: 'member',
  pooler: 'pooler',
  poolerStandby: 'standby pooler',
  proxy: 'proxy',
};

function byKind(a: { name: string; kind: ComponentKind }, b: { name: string; kind: ComponentKind }): number {
  return order[a.kind] - order[b.kind] || byOrdinal(a.name, b.name);
}

/**
 * Starts whatever should run and does not: etcd first, what leads clients to the members last. A new etcd that has to
 * join running voters comes alone: two at once could cost the quorum.
 */
export function planStarts(situation: Situation): Step[] {
  return [...situation.desired.components, ...neededLeftovers(situation)]
    .sort(byKind)
    .filter(({ name }) => situation.components.get(name)?.running !== true)
    .map(({ name, kind }): Step => {
      const known = situation.components.has(name);
      const base: Step = {
        action: { kind: 'start', component: name, componentKind: kind },
        summary: `start ${words[kind]} ${name}`,
        reason: whyStart(situation, name, kind),
        impact: 'none',
        ...(isFront(kind) && primaryComes(situation) && { blockedBy: 'there is no primary yet' }),
      };
      return !known && kind === 'etcd' && voterJoins(situation) ? joining(situation, base) : base;
    });
}

function isFront(kind: ComponentKind): boolean {
  return kind !== 'etcd' && kind !== 'member';
}

/**
 * There is no primary, but members are on their way: what leads clients to them comes after them. Its checks would
 * only take processor time from them.
 */
function primaryComes({ primary, staying, members, components }: Situation): boolean {
  if (primary !== undefined) return false;
  return staying.some(name => {
    const state = members.get(name)?.state;
    return components.get(name)?.running !== true || state === 'creating' || state === 'starting';
  });
}

/**
 * Servers that are to go, but not before the cluster works without them: voters while the quorum is missing, the
 * primary, and every member while there is none, for one of them may hold the latest writes.
 */
function neededLeftovers({ observed, wanted }: Situation): ComponentObservation[] {
  const { dcs } = observed;
  const quorum = dcs !== undefined && dcs.healthyVoters * 2 > dcs.voters;
  const claims = claimants(observed).map(member => member.name);
  return observed.components.filter(({ name, kind }) => {
    if (wanted.has(name)) return false;
    return kind === 'etcd' ? !quorum : kind === 'member' && (claims.length === 0 || claims.includes(name));
  });
}

function whyStart({ components, wanted, primary }: Situation, name: string, kind: ComponentKind): string {
  if (!components.has(name)) return 'the manifest asks for it and it does not exist yet';
  if (wanted.has(name)) return 'it does not run';
  if (name === primary?.name) return 'it is to go, but is the primary and has to hand over first';
  return kind === 'etcd'
    ? 'it is to go, but there is no quorum without it yet'
    : 'it is to go, but may hold the latest writes, and there is no primary yet';
}

/**
 * The DCS works, and each of its voters is a server that was seen: what was not seen is no part of it. (While a first
 * start was interrupted there are more voters than servers: those are started together.)
 */
function voterJoins({ observed }: Situation): boolean {
  const { dcs } = observed;
  if (dcs === undefined || dcs.healthyVoters * 2 <= dcs.voters) return false;
  return dcs.voters <= observed.components.filter(component => component.kind === 'etcd').length;
}

function joining({ observed }: Situation, step: Step): Step {
  const missing = (observed.dcs?.voters ?? 0) - (observed.dcs?.healthyVoters ?? 0);
  return {
    ...step,
    alone: true,
    blockedBy: missing > 0 ? `${missing} of ${observed.dcs?.voters} DCS voters does not answer` : undefined,
  };
}

/** Reloads what runs with an old configuration that needs no restart. */
export function planReloads(situation: Situation): Step[] {
  const blockedBy = whyOnlyStarts(situation);
  return outdated(situation, 'reload').map(({ name, kind, differences }) => ({
    action: { kind: 'reload', component: name, componentKind: kind },
    summary: `reload ${words[kind]} ${name}`,
    reason: differing(differences),
    impact: 'none',
    blockedBy,
  }));
}

/** Restarts etcd, proxies and poolers that run with an old configuration; members have rules of their own. */
export function planComponentRestarts(situation: Situation): Step[] {
  const voters = situation.desired.components.filter(component => component.kind === 'etcd').length;
  const blockedBy = whyNotDestructive(situation);
  return outdated(situation, 'restart')
    .filter(({ kind }) => kind !== 'member')
    .map(({ name, kind, differences }) => ({
      action: { kind: 'restart', component: name, componentKind: kind },
      summary: `restart ${words[kind]} ${name}`,
      reason: differing(differences),
      impact: kind === 'etcd' ? (voters >= 3 ? 'none' : 'stall') : 'interruption',
      blockedBy,
    }));
}

function outdated(situation: Situation, how: ComponentObservation['outdated']): ComponentObservation[] {
  return situation.observed.components
    .filter(({ name, running, outdated }) => situation.wanted.has(name) && running && outdated === how)
    .sort(byKind);
}

export function differing(differences: string[]): string {
  return differences.length === 0
    ? 'its configuration changed'
    : `its configuration changed: ${differences.join(', ')}`;
}

/** Removes poolers and proxies that the manifest no longer asks for. */
export function planSurplusFronts(situation: Situation): Step[] {
  const blockedBy = whyNotDestructive(situation);
  return surplus(situation, kind => kind === 'pooler' || kind === 'poolerStandby' || kind === 'proxy').map(
    ({ name, kind, running }) => ({
      action: { kind: 'remove', component: name, componentKind: kind },
      summary: `remove ${words[kind]} ${name}`,
      reason: 'the manifest no longer asks for it',
      impact: running ? 'interruption' : 'none',
      blockedBy,
    }),
  );
}

/**
 * Removes voters above the wanted number. A live one goes only while every voter is healthy (otherwise taking it
 * away could cost the quorum) and when the members it serves have gone (`membersWait`: why they do not yet); so dead
 * ones go first.
 */
export function planSurplusVoters(situation: Situation, membersWait: string | undefined): Step[] {
  return surplus(situation, kind => kind === 'etcd').map(({ name, kind, running }) => ({
    action: { kind: 'remove', component: name, componentKind: kind },
    summary: `remove etcd ${name}`,
    reason: 'fewer voters are wanted',
    impact: 'removal',
    blockedBy: running ? (membersWait ?? whyNotDestructive(situation)) : whyOnlyStarts(situation),
  }));
}

/** Highest ordinal first. */
function surplus(situation: Situation, is: (kind: ComponentKind) => boolean): ComponentObservation[] {
  return situation.observed.components
    .filter(({ name, kind }) => is(kind) && !situation.wanted.has(name))
    .sort((a, b) => byKind(b, a));
}
