import { type Accusation, type RevokeCause, readable, seconds } from './accusations.ts';
import type { Evidence } from './evidence.ts';
import { outside } from './sample.ts';
import type { Thresholds } from './thresholds.ts';

/** What speaks against an accusation: the end of a sentence that begins with "because". */
export type Check<Cause> = (
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
  accusation: Accusation<Cause>,
) => string | undefined;

export interface Veto {
  name: string;
  sentence: string;
}

/** All vetoes of a table that hold, in its order. */
export function vetoesOf<Cause>(
  table: Readonly<Record<string, Check<Cause>>>,
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
  accusation: Accusation<Cause>,
): Veto[] {
  return Object.entries(table).flatMap(([name, check]) => {
    const sentence = check(evidence, thresholds, accusation);
    return sentence === undefined ? [] : [{ name, sentence }];
  });
}

// Common to revocations and to fences for the sake of availability.

export const mode: Check<unknown> = ({ setting }) =>
  setting.mode === 'async' || setting.mode === 'single'
    ? `the cluster is ${setting.mode === 'single' ? 'a single member' : 'asynchronous'}: acknowledged writes could be lost`
    : undefined;

export const paused: Check<unknown> = ({ setting }) => (setting.paused ? 'Patroni is paused' : undefined);

export const maintenance: Check<unknown> = ({ setting }) =>
  setting.maintenance ? 'the cluster is in maintenance' : undefined;

export const operation: Check<unknown> = ({ setting }) =>
  setting.operation === undefined ? undefined : `${setting.operation} is under way`;

export const late: Check<unknown> = ({ timely }) =>
  timely ? undefined : 'the sentinel itself was late: what it missed cannot be told from silence';

export const unreadable: Check<unknown> = (evidence, thresholds, { since }) => {
  if (!readable(evidence, thresholds)) return 'the leader key cannot be read with a quorum';
  const sentAt = evidence.key.sentAt ?? Number.NEGATIVE_INFINITY;
  return sentAt < since ? 'the leader key was not read since' : undefined;
};

/** For accusations against the primary only: the key must be the very one that was judged. */
export const keyMoved: Check<unknown> = ({ key, watch }) => {
  if (key.state === 'none') return 'nobody holds the leader key';
  const { holder } = key;
  if (holder === undefined || watch === undefined) return 'nobody is known to hold the leader key';
  if (holder.name !== watch.member) return `${holder.name} holds the leader key now`;
  return holder.revision === watch.revision ? undefined : 'the leader key was taken anew meanwhile';
};

/** More than half of the members beside the suspect must have answered the sentinel since doubt arose. */
export const isolated: Check<unknown> = ({ at, setting, watch }, { vantageFreshMs }, { member }) => {
  const others = setting.members.filter(name => name !== member);
  const answering = others.filter(name => {
    const answeredAt = watch?.vantages[name]?.answeredAt;
    return answeredAt !== undefined && at - answeredAt <= vantageFreshMs;
  });
  if (answering.length * 2 > others.length) return undefined;
  return `only ${answering.length} of ${others.length} other hosts answer: the sentinel itself may be cut off`;
};

export const noStandby: Check<unknown> = ({ at, sync }, { freshMs }, { member }) => {
  if (sync === undefined || at - sync.at > freshMs) return 'the /sync record cannot be read';
  if (sync.leader !== member) {
    return `/sync names ${sync.leader ?? 'nobody'} as leader: what its standbys have is not known`;
  }
  if (takeover({ sync }, member) !== undefined) return undefined;
  const named = sync.standbys.map(({ name }) => name).join(', ');
  return named === ''
    ? 'no synchronous standby is recorded'
    : `no synchronous standby answers (recorded: ${named})`;
};

/** After a revocation or a fence of anybody. */
export const coolDown: Check<unknown> = ({ at, revoked, fences }, { coolDownMs }) => {
  if (revoked !== undefined && at - revoked.at < coolDownMs) {
    return `the key of ${revoked.member} was revoked ${seconds(at - revoked.at)} ago`;
  }
  const [name, fence] = Object.entries(fences).find(([, { at: then }]) => at - then < coolDownMs) ?? [];
  return fence === undefined ? undefined : `${name} was fenced ${seconds(at - fence.at)} ago`;
};

// Of revocations only.

/** The word of the kernel needs fewer looks than silence does. */
const oneProbe: Check<RevokeCause> = (_, { minLooks, minProbes }, { cause, looks }) => {
  if (cause === 'fenced') return undefined;
  return looks < (cause === 'unseen' ? minLooks : minProbes) ? `only ${looks} looks say so` : undefined;
};

/** Outside and more than half of all places must have failed at least twice, and lately. */
const unconfirmed: Check<RevokeCause> = (evidence, thresholds, { cause, member }) => {
  if (cause !== 'unseen') return undefined;
  const places = [outside, ...evidence.setting.members.filter(name => name !== member)];
  const failing = places.filter(name => {
    const { failures = 0, failedAt } = evidence.watch?.vantages[name] ?? {};
    const recent = failedAt !== undefined && evidence.at - failedAt <= thresholds.vantageFreshMs;
    return recent && failures >= thresholds.minProbes;
  });
  if (failing.includes(outside) && failing.length * 2 > places.length) return undefined;
  return `only ${failing.length} of ${places.length} places confirm it (${failing.join(', ') || 'none'})`;
};

/** Any sign of life since the accusation began, of the kind that refutes it. */
const seenAlive: Check<RevokeCause> = ({ at, watch }, { killMs }, { cause, since }) => {
  if (watch === undefined) return undefined;
  const { alive, seen, process } = watch;
  if (cause === 'unseen') {
    const reached = seen !== undefined && seen.at >= since ? seen.by : undefined;
    return reached === undefined ? undefined : `${reached} has seen it since`;
  }
  if (cause === 'process-gone' && process?.state === 'running') return 'its process is back';
  if (alive === undefined) return undefined;
  // A kill needs a moment: what was under way may still answer. An answer beside the word "gone" refutes it.
  const ended = process?.state === 'gone' ? Math.max(since, process.since) : since + killMs;
  const lives = alive.at > ended || alive.at === at;
  return lives ? `${alive.by} has answered since` : undefined;
};

/** A revocation that completes the fence of the same primary belongs to it. */
const revokeCoolDown: Check<RevokeCause> = (evidence, thresholds, accusation) => {
  const { watch, fences } = evidence;
  const others = Object.entries(fences).filter(
    ([name, { at }]) => name !== accusation.member || watch === undefined || at < watch.since,
  );
  return coolDown({ ...evidence, fences: Object.fromEntries(others) }, thresholds, accusation);
};

/** The table: no key is revoked while one of these holds. SPEC.md says why each stands here. */
export const revokeVetoes = {
  mode,
  paused,
  maintenance,
  operation,
  late,
  'one-probe': oneProbe,
  unreadable,
  'key-moved': keyMoved,
  isolated,
  unconfirmed,
  'seen-alive': seenAlive,
  'no-standby': noStandby,
  'cool-down': revokeCoolDown,
} as const satisfies Readonly<Record<string, Check<RevokeCause>>>;

/** A standby that every acknowledged write has reached and that answers now; undefined: none. */
export function takeover({ sync }: Pick<Evidence, 'sync'>, suspect: string): string | undefined {
  return sync?.standbys.find(({ name, answers }) => answers && name !== suspect)?.name;
}
