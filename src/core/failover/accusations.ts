import type { Evidence, Streak } from './evidence.ts';
import type { Thresholds } from './thresholds.ts';

/** Why a leader key would be revoked. */
export type RevokeCause =
  /** It was fenced by us, and its process has gone or hangs in the kernel. */
  | 'fenced'
  /** Its own host says that the process is gone, and Patroni has not handed the lead on. */
  | 'process-gone'
  /** No sign of life of the member or its host. */
  | 'unseen';

/** Why a member would be fenced. */
export type FenceCause =
  /** No new connection inside its own host, while the process is there. */
  | 'hung-postmaster'
  /** A local commit does not end. */
  | 'hung-commit'
  /** Patroni does not answer and does not renew the lease. */
  | 'lease-stale'
  /** The lease is about to end, or has ended, and nobody renews it. */
  | 'lease-ending'
  /** Another member holds the key, and this one takes writes beside a silent Patroni. */
  | 'superseded';

/** A threshold is crossed. What may still speak against acting on it are the vetoes. */
export interface Accusation<Cause> {
  cause: Cause;
  member: string;
  since: number;
  looks: number;
  probes: number;
  /** What is the matter, as a whole sentence without its full stop. */
  sentence: string;
}

export const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(1))} s`;

function accuse<Cause>(cause: Cause, member: string, streak: Streak, sentence: string): Accusation<Cause> {
  return { cause, member, since: streak.since, looks: streak.looks, probes: streak.probes, sentence };
}

/** The gravest accusation against the key of the primary; undefined: none. */
export function revokeAccusation(
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
): Accusation<RevokeCause> | undefined {
  const { watch } = evidence;
  if (watch === undefined) return undefined;
  const { member, gone, unseen, process } = watch;
  const current = (streak: Streak): boolean => evidence.at - streak.lastProbeAt <= thresholds.hostFreshMs;
  const fenced = fencedAccusation(evidence, thresholds);
  if (fenced !== undefined) return fenced;
  if (process?.state === 'gone' && gone !== undefined && current(gone) && gone.heldMs >= thresholds.goneMs) {
    const sentence = `PostgreSQL of ${member} has been gone for ${seconds(gone.heldMs)}, says its own host, and Patroni still holds the key`;
    return accuse('process-gone', member, gone, sentence);
  }
  if (unseen !== undefined && current(unseen) && unseen.heldMs >= thresholds.deadMs) {
    const sentence = `${member} has given no sign of life for ${seconds(unseen.heldMs)}`;
    return accuse('unseen', member, unseen, sentence);
  }
  return undefined;
}

/** Stands from the end of the process that we killed; or, where it cannot die, once it had time enough to. */
function fencedAccusation(
  { at, watch, fences }: Evidence,
  { fenceSettleMs }: Readonly<Thresholds>,
): Accusation<RevokeCause> | undefined {
  const fence = watch === undefined ? undefined : fences[watch.member];
  if (watch?.process === undefined || fence === undefined || fence.at < watch.since) return undefined;
  if (fence.sent === false) return undefined;
  const { member, process } = watch;
  const common = { cause: 'fenced' as const, member, since: fence.at, looks: 1, probes: 1 };
  if (process.state === 'gone' && process.since > fence.at) {
    return { ...common, sentence: `${member} was fenced: its PostgreSQL is gone` };
  }
  const still = process.state === 'running' && process.since <= fence.at;
  if (still && fence.sent === true && at - fence.at >= fenceSettleMs) {
    const sentence = `${member} was fenced: its PostgreSQL was killed ${seconds(at - fence.at)} ago, hangs in the kernel and will not come back`;
    return { ...common, sentence };
  }
  return undefined;
}

/** All accusations for which a member would be fenced, those against the primary first, gravest first. */
export function fenceAccusations(
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
): Accusation<FenceCause>[] {
  const against = [
    leaseEnding(evidence, thresholds),
    leaseStale(evidence, thresholds),
    hungPostmaster(evidence, thresholds),
    hungCommit(evidence, thresholds),
  ];
  return [...against.filter(accusation => accusation !== undefined), ...superseded(evidence, thresholds)];
}

type Found = Accusation<FenceCause> | undefined;

function hungPostmaster({ watch }: Evidence, { hungConnectionsMs }: Readonly<Thresholds>): Found {
  const streak = watch?.loginsFail;
  if (watch?.process?.state !== 'running' || streak === undefined || streak.heldMs < hungConnectionsMs) {
    return undefined;
  }
  const sentence = `${watch.member} runs and has let nobody in for ${seconds(streak.heldMs)}, not even from its own host`;
  return accuse('hung-postmaster', watch.member, streak, sentence);
}

function hungCommit({ watch }: Evidence, { hungCommitMs }: Readonly<Thresholds>): Found {
  const streak = watch?.commit?.stalled;
  if (watch?.process?.state !== 'running' || streak === undefined || streak.heldMs < hungCommitMs) {
    return undefined;
  }
  const sentence = `a commit on ${watch.member} that waits for no standby has not ended for ${seconds(streak.heldMs)}`;
  return accuse('hung-commit', watch.member, streak, sentence);
}

function leaseStale(evidence: Evidence, thresholds: Readonly<Thresholds>): Found {
  const { watch, key, at } = evidence;
  const silent = watch?.patroniSilent;
  if (watch?.process?.state !== 'running' || silent === undefined || !readable(evidence, thresholds)) {
    return undefined;
  }
  if (key.state !== 'held' || key.holder === undefined) return undefined;
  const staleMs = at - (key.holder.leaseEndsAt - key.holder.ttlMs);
  if (staleMs < thresholds.leaseStaleMs || silent.heldMs < thresholds.patroniSilentMs) return undefined;
  const sentence = `Patroni of ${watch.member} has not answered for ${seconds(silent.heldMs)} and its lease was last renewed ${seconds(staleMs)} ago`;
  return accuse('lease-stale', watch.member, silent, sentence);
}

/**
 * Read with a quorum: the lease ends within the margin, whatever Patroni's REST interface says (its threads answer
 * while its loop hangs); or the key is gone and Patroni silent. Not readable: by the last bound known, Patroni silent.
 */
function leaseEnding(evidence: Evidence, thresholds: Readonly<Thresholds>): Found {
  const { watch, key, at } = evidence;
  if (watch?.process?.state !== 'running' || key.holder?.name !== watch.member) return undefined;
  const silent = watch.patroniSilent;
  const isSilent = silent !== undefined && silent.heldMs >= thresholds.patroniSilentMs;
  const leftMs = key.holder.leaseEndsAt - at;
  const known = readable(evidence, thresholds);
  const over = known && key.state === 'none';
  if (!over && leftMs > thresholds.leaseMarginMs) return undefined;
  if (!isSilent && (over || !known)) return undefined;
  const lease = over ? 'has no lease any more' : `has a lease that ends in ${seconds(Math.max(0, leftMs))}`;
  const sentence = `${watch.member} runs as primary and ${lease}${known ? '' : ', by the last that could be read'}`;
  const streak = silent ?? { since: at, heldMs: 0, looks: 1, probes: 1, lastProbeAt: at };
  return accuse('lease-ending', watch.member, streak, sentence);
}

function superseded(
  { at, strays, key }: Evidence,
  { strayMs, hostFreshMs }: Readonly<Thresholds>,
): Accusation<FenceCause>[] {
  return Object.entries(strays)
    .filter(([, streak]) => streak.heldMs >= strayMs && at - streak.lastProbeAt <= hostFreshMs)
    .map(([member, streak]) => {
      const sentence = `${member} has taken writes for ${seconds(streak.heldMs)} beside a silent Patroni, although ${key.holder?.name ?? 'nobody'} holds the key`;
      return accuse('superseded', member, streak, sentence);
    });
}

/** The leader key was read with a quorum lately. */
export function readable({ key, at }: Evidence, { freshMs }: Readonly<Thresholds>): boolean {
  return key.state !== 'unreadable' && key.sentAt !== undefined && at - key.sentAt <= freshMs;
}
