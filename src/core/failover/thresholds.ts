/**
 * Every number of the decision table, in milliseconds unless the name says otherwise. "In timely looks": only the time
 * between looks that came when they should counts, so the sentinel's own sleep never adds to anybody's silence.
 */
export interface Thresholds {
  /** A look may come this much later than planned and still count as timely. */
  timelyMs: number;
  /** Two looks further apart than this: the later one is not timely, whatever it says of itself. */
  gapMs: number;
  /** Fewest timely looks that make an accusation. */
  minLooks: number;
  /** Fewest attempts of one probe that make an accusation. */
  minProbes: number;
  /** Since the last answer of the primary: clients are better held. */
  holdMs: number;
  /** A hold ends after this, whatever else. */
  holdLimitMs: number;
  /** No sign of life of the primary or its host, in consecutive timely looks, counted from the first silent one. */
  deadMs: number;
  /** What a look is late beyond this adds nothing to that. */
  unseenLateMs: number;
  /** The member's own host says that the process is gone, in timely looks. */
  goneMs: number;
  /** New connections fail inside the member's own host while the process is there, in timely looks. */
  hungConnectionsMs: number;
  /** A commit that waits for no standby does not end, in timely looks. */
  hungCommitMs: number;
  /** The lease was not renewed. */
  leaseStaleMs: number;
  /** Patroni's REST interface did not answer, in timely looks. */
  patroniSilentMs: number;
  /** The fence comes at least this long before the lease ends. */
  leaseMarginMs: number;
  /** A kill must show within this: signs of life after it mean that it failed. */
  killMs: number;
  /** A process that shows none and is still there after this will not come back: it hangs in the kernel. */
  fenceSettleMs: number;
  /** A member without the lease that takes writes beside a Patroni that does not answer, in timely looks. */
  strayMs: number;
  /** Slow evidence this old makes the sentinel ask the other hosts. */
  doubtMs: number;
  /** The leader key and /sync count when they were asked for within this. */
  freshMs: number;
  /** The word of the member's own host counts for this long. */
  hostFreshMs: number;
  /** The word of another host counts for this long. */
  vantageFreshMs: number;
  /** Failsafe mode counts when a living Patroni confirmed it within this. */
  failsafeFreshMs: number;
  /** No second revocation and no second fence for the sake of availability within this. */
  coolDownMs: number;
}

/**
 * Sources: [F] reference/failover.md, measured; [P] faults.md, "Fencing without /dev/watchdog"; [I] issue 4, figures;
 * [D] chosen here, with the reason.
 */
export const defaultThresholds: Readonly<Thresholds> = Object.freeze({
  // [D] One and a half looks of 100 ms: a busy scheduler passes, a starved sentinel does not.
  timelyMs: 150,
  // [D] Three looks missing: the process stood still, whatever the timer says.
  gapMs: 400,
  // [D] Never on one failed probe; within deadMs five to seven looks fit.
  minLooks: 4,
  // [D] The least that is not "one".
  minProbes: 2,
  // [F] PAUSE at 0.25 s of silence.
  holdMs: 250,
  // [I] A pause outlives its owner by at most 10 s; the sentinel allows itself no more either.
  holdLimitMs: 10_000,
  // [F] dead at 0.6 s. Counted from the first silent look, at most one look after the last answer: a blip of 500 ms
  // stays below it whatever the rhythm of the looks.
  deadMs: 550,
  // [D] One look. What a look has asked, the next one hears: a late one must not end the patience with the end of a blip
  // unheard.
  unseenLateMs: 50,
  // [D] The end of a process is a fact that its kernel tells, not silence; one look more (50 ms), and no false report
  // stands. A woken Patroni takes 0.2 to 0.5 s to hand the lead on by itself.
  goneMs: 40,
  // [I] 5 s median, of which up to 1.5 s pass before the first login counts as failing and 1 s in the election; a disk
  // that stalls for 2 s causes nothing. A login takes milliseconds; a stopped postmaster takes none at all.
  hungConnectionsMs: 2_500,
  // [I] 8 s median, of which up to 2 s pass before the next commit begins and 1 s in the election; commit stalls of 2 s
  // cause nothing.
  hungCommitMs: 5_500,
  // [I] 5 s median with loop_wait 1 s: two renewals missed for certain. See thresholdsFor.
  leaseStaleMs: 3_000,
  // [D] HAProxy takes the member out after 0.2 s of this, so clients already suffer; a slow answer is not silence.
  patroniSilentMs: 2_000,
  // [P] Kill at t + r - margin: 1 s of rounding in etcd's TTL, one look, the kill, and as much again.
  leaseMarginMs: 3_000,
  // [D] SIGKILL and the report of the process's end, several looks.
  killMs: 500,
  // [D] Longer than any exit of a killed postmaster whose memory has to be freed.
  fenceSettleMs: 2_000,
  // [D] Nobody waits for this fence: time enough for a demotion that is under way.
  strayMs: 1_000,
  // [D] Half a commit stall: asking costs little, and the answers must be there when they are needed.
  doubtMs: 1_000,
  // [D] Ten looks; etcd answers within 15 ms [F], or elects within 0.5 s.
  freshMs: 1_000,
  // [D] Five looks.
  hostFreshMs: 500,
  // [D] Attempts of 150 ms each, two of them.
  vantageFreshMs: 500,
  // [P] "a fresh answer of that kind from a live Patroni"; it confirms once per loop_wait of 1 s.
  failsafeFreshMs: 2_500,
  // [I] never twice within a cool-down; a failover with its rejoin takes 20 s [I].
  coolDownMs: 30_000,
});

/** For a cluster whose Patroni comes round, and renews its lease, every `loopWait` seconds; undefined: as by default. */
export function thresholdsFor(loopWait: number | undefined): Readonly<Thresholds> {
  const { leaseStaleMs } = defaultThresholds;
  // Nothing is stale that is renewed in time.
  return { ...defaultThresholds, leaseStaleMs: Math.max(leaseStaleMs, (loopWait ?? 0) * 1000 + 1_000) };
}
