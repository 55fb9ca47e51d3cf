import type { Evidence, Streak } from './evidence.ts';

/** Plain data for the journal: durations up to the moment of the decision, in milliseconds. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The evidence in short. What is not known is left out. */
export function factsOf(evidence: Evidence): Facts {
  const { at, watch, key, setting, sync, revoked } = evidence;
  const ago = (then: number | undefined): number | undefined =>
    then === undefined ? undefined : Math.round(at - then);
  const vantages = Object.entries(watch?.vantages ?? {});
  const all: Record<string, Facts[string] | undefined> = {
    at: Math.round(at),
    timely: evidence.timely,
    mode: setting.mode,
    paused: setting.paused,
    maintenance: setting.maintenance,
    operation: setting.operation,
    member: watch?.member,
    revision: watch?.revision,
    key: key.state,
    holder: key.holder?.name,
    keyReadAgoMs: ago(key.sentAt),
    leaseRemainingMs: key.holder === undefined ? undefined : Math.round(key.holder.leaseEndsAt - at),
    link: watch?.link,
    answeredAgoMs: ago(watch?.answeredAt),
    takesWrites: watch?.takesWrites,
    quietMs: held(watch?.quiet),
    unseenMs: held(watch?.unseen),
    unseenLooks: watch?.unseen?.looks,
    process: watch?.process?.state,
    processAgoMs: ago(watch?.process?.at),
    goneMs: held(watch?.gone),
    loginsFailMs: held(watch?.loginsFail),
    commitRunsMs: ago(watch?.commit?.since),
    commitStalledMs: held(watch?.commit?.stalled),
    patroniSilentMs: held(watch?.patroniSilent),
    patroniAnsweredAgoMs: ago(watch?.patroniAnsweredAt),
    failsafeAgoMs: ago(watch?.failsafeAt),
    seenBy: watch?.seen?.by,
    seenAgoMs: ago(watch?.seen?.at),
    reached: vantages.filter(([, { failures }]) => failures === 0).map(([name]) => name),
    unreached: vantages.filter(([, { failures }]) => failures > 0).map(([name]) => name),
    syncLeader: sync?.leader,
    syncStandbys: sync?.standbys.map(({ name }) => name),
    syncStreaming: sync?.standbys.filter(({ streams }) => streams === true).map(({ name }) => name),
    syncAnswering: sync?.standbys.filter(({ answers }) => answers).map(({ name }) => name),
    strays: Object.keys(evidence.strays),
    heldMs: ago(evidence.hold?.since),
    revokedAgoMs: ago(revoked?.at),
    fenced: Object.keys(evidence.fences),
  };
  const known = Object.entries(all).filter(
    (entry): entry is [string, Facts[string]] => entry[1] !== undefined,
  );
  return Object.fromEntries(known);
}

function held(streak: Streak | undefined): number | undefined {
  return streak === undefined ? undefined : Math.round(streak.heldMs);
}
