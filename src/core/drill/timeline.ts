/** When what happened in a drill, from samples of the members and of the leader key. */

/** A member that was not seen as primary for so long is none. */
const STEADY_MS = 1_000;

/** What a member said of itself from inside its host. `silent`: nothing, within the sample's deadline. */
export interface MemberSample {
  /** Unix milliseconds. */
  at: number;
  member: string;
  answer: 'primary' | 'standby' | 'silent';
}

export interface LeaderSample {
  at: number;
  /** undefined: nobody holds the key. `unknown`: the DCS did not answer. */
  leader: string | undefined | 'unknown';
}

export interface Moment {
  event: 'injected' | 'noticed' | 'fenced' | 'promoted' | 'first-write' | 'undone' | 'whole';
  /** Milliseconds after the injection. */
  afterMs: number;
  /** "demo-1 is primary". */
  text: string;
}

export interface TimelineInput {
  injectedAt: number;
  /** The primary at that moment. */
  primary: string;
  members: MemberSample[];
  leaders: LeaderSample[];
  /** End of the longest time without an acknowledged write through an endpoint, if there was a gap worth the word. */
  firstWriteAt: number | undefined;
  undoneAt: number | undefined;
  wholeAt: number | undefined;
}

/**
 * The moments of a drill, in order. A sample is taken every 100 ms, so each moment is late by up to that. Noticed:
 * the leader key was seen free or in other hands. Fenced: from then on the old primary was
 * not seen as a primary for a second.
 */
export function timelineOf(input: TimelineInput): Moment[] {
  const { injectedAt, primary, firstWriteAt, undoneAt, wholeAt } = input;
  const moments: Moment[] = [];
  const note = (event: Moment['event'], at: number | undefined, text: string) => {
    if (at !== undefined) moments.push({ event, afterMs: Math.max(0, at - injectedAt), text });
  };
  note('injected', injectedAt, 'the fault was injected');
  const noticed = input.leaders.find(
    ({ at, leader }) => at > injectedAt && leader !== 'unknown' && leader !== primary,
  );
  note(
    'noticed',
    noticed?.at,
    `the leader key is ${noticed?.leader === undefined ? 'free' : 'in other hands'}`,
  );
  const fenced = fencing(input.members.filter(({ at, member }) => at > injectedAt && member === primary));
  note('fenced', fenced?.at, `${primary} is ${fenced?.answer === 'standby' ? 'a standby' : 'silent'}`);
  const promoted = input.members.find(
    ({ at, member, answer }) => at > injectedAt && member !== primary && answer === 'primary',
  );
  note('promoted', promoted?.at, `${promoted?.member} is primary`);
  note('first-write', firstWriteAt, 'writes are acknowledged again');
  note('undone', undoneAt, 'the fault was taken back');
  note('whole', wholeAt, 'all members are back, commits are confirmed as promised');
  return moments.sort((a, b) => a.afterMs - b.afterMs);
}

/** The first sample with which a member stops being primary: a single late answer is no end of it. */
function fencing(samples: MemberSample[]): MemberSample | undefined {
  const relapses = (from: MemberSample) =>
    samples.some(({ at, answer }) => at >= from.at && at < from.at + STEADY_MS && answer === 'primary');
  return samples.find(sample => !relapses(sample));
}

/** Longest time in which two members called themselves primary at once, milliseconds. */
export function dualPrimaryMs(samples: MemberSample[]): number {
  const primaries = new Set<string>();
  let since: number | undefined;
  let longest = 0;
  for (const { at, member, answer } of [...samples].sort((a, b) => a.at - b.at)) {
    if (answer === 'primary') primaries.add(member);
    else primaries.delete(member);
    if (primaries.size < 2) since = undefined;
    else since ??= at;
    if (since !== undefined) longest = Math.max(longest, at - since);
  }
  return longest;
}
