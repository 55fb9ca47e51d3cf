import { type FenceCause, readable, seconds } from './accusations.ts';
import {
  type Check,
  coolDown,
  isolated,
  keyMoved,
  late,
  maintenance,
  mode,
  noStandby,
  operation,
  paused,
  unreadable,
} from './vetoes.ts';

const oneProbe: Check<FenceCause> = (_, { minLooks, minProbes }, { cause, looks, probes }) => {
  if (looks < minLooks) return `only ${looks} looks say so`;
  // A commit that does not end is one attempt by its nature, and a member's word about itself comes anew each look.
  const repeated = cause === 'hung-commit' || cause === 'superseded' || probes >= minProbes;
  return repeated ? undefined : 'only one attempt says so';
};

const single: Check<FenceCause> = ({ setting }) =>
  setting.mode === 'single' ? 'nobody could take the lease of a single member' : undefined;

/** Its own host must say, now, that the process is there: there is nothing to kill otherwise. */
const hostSilent: Check<FenceCause> = ({ at, watch }, { hostFreshMs }) => {
  const process = watch?.process;
  if (process?.state === 'running' && at - process.at <= hostFreshMs) return undefined;
  return 'its own host does not say that it runs';
};

const standby: Check<FenceCause> = ({ watch }) =>
  watch?.takesWrites === false ? 'it takes no writes: it is a standby, or being promoted' : undefined;

const failsafe: Check<FenceCause> = ({ at, watch }, { failsafeFreshMs }) =>
  watch?.failsafeAt !== undefined && at - watch.failsafeAt <= failsafeFreshMs
    ? 'Patroni has just confirmed its failsafe mode'
    : undefined;

/** Against the lease, where it could be read with a quorum, no network stands: the answer proves it. */
const blind: Check<FenceCause> = (evidence, thresholds, accusation) =>
  readable(evidence, thresholds) ? undefined : isolated(evidence, thresholds, accusation);

/** The same member again only after the kill had time to show. */
const repeated: Check<FenceCause> = ({ at, fences }, { fenceSettleMs }, { member }) => {
  const fence = fences[member];
  if (fence === undefined || at - fence.at >= fenceSettleMs) return undefined;
  return `it was fenced ${seconds(at - fence.at)} ago`;
};

const isLeader: Check<FenceCause> = ({ key }, _, { member }) => {
  if (key.state !== 'held') return 'nobody else holds the leader key';
  return key.holder?.name === member ? 'it holds the leader key' : undefined;
};

/** For the sake of availability: worth it only if somebody takes over, so a revocation must be possible too. */
const replacing = {
  mode,
  paused,
  maintenance,
  operation,
  late,
  'one-probe': oneProbe,
  'host-silent': hostSilent,
  standby,
  failsafe,
  unreadable,
  'key-moved': keyMoved,
  isolated,
  'no-standby': noStandby,
  'cool-down': coolDown,
};

/**
 * For the sake of safety: once the lease ends, others may promote, whoever is at work and however short ago the last
 * fence was. Only what means that nobody will take over, or that the evidence is bad, may stand against it.
 */
const ending = { single, paused, late, 'host-silent': hostSilent, standby, failsafe, blind, repeated };

const stray = { single, paused, late, 'one-probe': oneProbe, unreadable, 'is-leader': isLeader, repeated };

/** The table, by cause: nobody is fenced while one of these holds. SPEC.md says why each stands here. */
export const fenceVetoes = {
  'hung-postmaster': replacing,
  'hung-commit': replacing,
  'lease-stale': replacing,
  'lease-ending': ending,
  superseded: stray,
} as const satisfies Readonly<Record<FenceCause, Readonly<Record<string, Check<FenceCause>>>>>;
