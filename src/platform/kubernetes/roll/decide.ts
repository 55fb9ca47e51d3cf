import { type MemberView, type PatroniView, primaryOf } from '../patroni/view.ts';

export interface RollInput {
  view: PatroniView;
  /** Hash of the pod template that every pod should be made from. */
  templateHash: string;
  /** As the manifest asks. */
  wanted: number;
  /** As the StatefulSet asks now. */
  replicas: number;
  /** Commits wait for a standby: who takes over must be one of those. */
  synchronousMode: boolean;
  /** Nodes that take no new pods: they are being drained. */
  cordoned: ReadonlySet<string>;
  /** Members whose volume somebody deleted: it goes with the pod, or is gone and the pod waits for it. */
  lostVolumes: ReadonlyMap<string, 'leaving' | 'gone'>;
}

/** The one thing to do next, with a reason that a person can read. */
export type RollStep =
  | { kind: 'none' }
  /** Time, or another's work, is needed first. */
  | { kind: 'wait'; reason: string }
  /** It does not get on by waiting: somebody has to change something. */
  | { kind: 'stuck'; pod: string; reason: string; message: string }
  | { kind: 'delete-pod'; pod: string; uid: string; reason: string }
  | { kind: 'switchover'; from: string; to: string; reason: string }
  | { kind: 'restart-member'; member: string; reason: string }
  | { kind: 'scale'; to: number; reason: string };

/**
 * Decides the next step that touches a running member. Held true (and tested): never a second member goes while one
 * is not well; the primary goes last, and leaves its role by a switchover before it goes (except where it is alone);
 * a template that does not start costs one standby. Called anew after each change: it remembers nothing.
 */
export function decide(input: RollInput): RollStep {
  const { view, wanted, replicas, templateHash } = input;
  // Stopping is no rolling: all go, in the order the StatefulSet takes.
  if (wanted === 0) {
    return replicas > 0
      ? { kind: 'scale', to: 0, reason: 'the manifest asks for 0 instances' }
      : { kind: 'none' };
  }
  if (wanted > replicas) {
    return { kind: 'scale', to: wanted, reason: `the manifest asks for ${wanted} instances` };
  }
  const outdated = (member: MemberView) => member.templateHash !== templateHash;
  const unwell = view.members.filter(member => !member.well);
  const missing = replicas - view.members.length;

  if (view.paused)
    return worthwhile(input) ? { kind: 'wait', reason: 'Patroni is paused' } : { kind: 'none' };
  const away = evacuate(input);
  if (away !== undefined) return away;

  // Only a new pod gets a new volume; this one never started.
  const bare = view.members.find(
    ({ name, node }) => input.lostVolumes.get(name) === 'gone' && node === undefined,
  );
  if (bare !== undefined && !bare.terminating)
    return {
      kind: 'delete-pod',
      pod: bare.name,
      uid: bare.uid,
      reason: 'its volume is gone: it gets a new one',
    };

  const leaving = unwell.find(member => member.terminating);
  if (leaving !== undefined) return { kind: 'wait', reason: `${leaving.name} is being deleted` };
  if (missing > 0) return { kind: 'wait', reason: `${missing} of ${replicas} pods do not exist yet` };

  const fresh = unwell.find(member => !outdated(member));
  // A pod that does not start from an old template is replaced: nobody loses by it. While another has just been made
  // anew it waits, unless that one cannot get on without it: there is no primary.
  const hopeless = unwell.find(member => outdated(member) && isReplaceable(member, view));
  const blocked = fresh !== undefined && (primaryOf(view) !== undefined || fresh.obstacle !== undefined);
  if (hopeless !== undefined && !blocked) {
    return {
      kind: 'delete-pod',
      pod: hopeless.name,
      uid: hopeless.uid,
      reason: `it does not run (${hopeless.obstacle?.reason ?? hopeless.state ?? 'not ready'}) and its template has changed`,
    };
  }
  const sick = fresh ?? unwell[0];
  if (sick !== undefined) return notYet(sick);

  return rebuild(input) ?? roll(input, outdated) ?? restartOne(input) ?? scaleDown(input) ?? { kind: 'none' };
}

/** Whether anything but time would be done were Patroni not paused. */
function worthwhile({ view, templateHash, wanted, replicas }: RollInput): boolean {
  return (
    wanted !== replicas ||
    view.members.some(member => member.templateHash !== templateHash || member.pendingRestart)
  );
}

function notYet(member: MemberView): RollStep {
  if (member.obstacle !== undefined) return { kind: 'stuck', pod: member.name, ...member.obstacle };
  return { kind: 'wait', reason: `${member.name} is ${member.state ?? 'not ready'}` };
}

/** A pod without a working server: not the primary, and not a member that is busy becoming one. */
function isReplaceable(member: MemberView, view: PatroniView): boolean {
  return member.name !== view.leader && (member.obstacle !== undefined || member.state === undefined);
}

/** The primary leaves a node that is being drained, or a pod that is being deleted, before its server is stopped. */
function evacuate(input: RollInput): RollStep | undefined {
  const primary = primaryOf(input.view);
  if (primary === undefined || input.view.switchoverPending) return undefined;
  const drained = primary.node !== undefined && input.cordoned.has(primary.node);
  if (!drained || primary.terminating) return undefined;
  const to = successor(input, primary);
  if (to === undefined) return undefined;
  return {
    kind: 'switchover',
    from: primary.name,
    to: to.name,
    reason: `node ${primary.node} takes no more pods: it is being drained`,
  };
}

/** A volume that was deleted lasts as long as its pod: whoever has one is built anew, while the others are well. */
function rebuild(input: RollInput): RollStep | undefined {
  const { view } = input;
  const marked = view.members.filter(({ name }) => input.lostVolumes.get(name) === 'leaving');
  const primary = primaryOf(view);
  if (marked.length === 0 || primary === undefined) return undefined;
  const standby = marked.find(member => member !== primary);
  const reason = 'its volume was deleted';
  if (standby !== undefined) return { kind: 'delete-pod', pod: standby.name, uid: standby.uid, reason };
  if (view.members.length > 1) return handOver(input, primary, reason);
  const message =
    'its volume was deleted and goes with the pod, and no other member has the data: ask for a second';
  return { kind: 'stuck', pod: primary.name, reason: 'VolumeDeleted', message };
}

function roll(input: RollInput, outdated: (member: MemberView) => boolean): RollStep | undefined {
  const { view } = input;
  const old = view.members.filter(outdated);
  if (old.length === 0) return undefined;
  const primary = primaryOf(view);
  if (primary === undefined) return { kind: 'wait', reason: 'there is no primary' };
  const reason = 'its template has changed';
  // Whoever commits wait for goes late: its absence is the one that is felt.
  const standby = old
    .filter(member => member !== primary)
    .sort((a, b) => Number(a.synchronous) - Number(b.synchronous) || b.ordinal - a.ordinal)[0];
  if (standby !== undefined) return { kind: 'delete-pod', pod: standby.name, uid: standby.uid, reason };
  if (view.members.length === 1) {
    return {
      kind: 'delete-pod',
      pod: primary.name,
      uid: primary.uid,
      reason: `${reason}; it is the only member`,
    };
  }
  return handOver(input, primary, reason);
}

function handOver(input: RollInput, primary: MemberView, reason: string): RollStep {
  if (input.view.switchoverPending) return { kind: 'wait', reason: 'a switchover is under way' };
  const to = successor(input, primary);
  if (to === undefined) return { kind: 'wait', reason: `no standby can take over from ${primary.name} yet` };
  return { kind: 'switchover', from: primary.name, to: to.name, reason };
}

/** Restarts that parameters wait for: standbys, the primary, then standbys whose decrease the primary makes first. */
function restartOne({ view }: RollInput): RollStep | undefined {
  const waiting = view.members.filter(member => member.pendingRestart);
  const primary = primaryOf(view);
  const standbys = waiting.filter(member => member !== primary);
  const next =
    standbys.find(member => !member.waitsForPrimary) ??
    waiting.find(member => member === primary) ??
    standbys[0];
  if (next === undefined) return undefined;
  return { kind: 'restart-member', member: next.name, reason: 'changed parameters wait for it' };
}

function scaleDown(input: RollInput): RollStep | undefined {
  const { wanted, replicas, view } = input;
  if (wanted >= replicas) return undefined;
  const primary = primaryOf(view);
  if (primary === undefined) return { kind: 'wait', reason: 'there is no primary' };
  // The last pod goes, one at a time: only if that is the primary has it to move.
  if (primary.ordinal >= replicas - 1) {
    return handOver(input, primary, 'the manifest asks for fewer instances, and it would be removed');
  }
  return { kind: 'scale', to: replicas - 1, reason: `the manifest asks for ${wanted} instances` };
}

/** The standby to take over: commits wait for it, and it stays. Patroni itself sees to it that nothing is lost. */
function successor(
  { view, wanted, synchronousMode, cordoned }: RollInput,
  primary: MemberView,
): MemberView | undefined {
  return (
    view.members
      .filter(member => member.name !== primary.name && member.well)
      // From a node that is being drained it would have to move on at once.
      .filter(member => member.node === undefined || !cordoned.has(member.node))
      .filter(member => !synchronousMode || member.synchronous)
      .sort((a, b) => Number(a.ordinal >= wanted) - Number(b.ordinal >= wanted) || a.ordinal - b.ordinal)[0]
  );
}
