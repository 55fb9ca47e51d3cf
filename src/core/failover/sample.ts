import type { ClusterPromise } from '../topology/promise.ts';

/** The vantage that is no member: where clients and poolers are. */
export const outside = 'outside';

/**
 * What the sentinel gathered in one look, raw. `undefined` always means "no word of it in this look". All times are
 * milliseconds of one monotonic clock.
 */
export interface Sample {
  at: number;
  /** How much later than planned this look came. */
  ownLateMs: number;
  /** How long after the one before it was planned, where that is more than the usual. */
  paceMs?: number;
  setting: Setting;
  /** Whom `link` to `patroni` and `vantages` were aimed at; they count for nobody else. */
  member?: string | undefined;
  /**
   * The idle session kept open from outside, asked anew for each look. `closed`: by the server's end, and not opened
   * again yet.
   */
  link?: { state: 'answered'; takesWrites: boolean } | { state: 'silent' } | { state: 'closed' } | undefined;
  /**
   * What the member's own host says of the postmaster now; ending: the kernel is taking it down, it does nothing any more
   * but is not gone yet; unknown: the host does not answer.
   */
  process?: 'running' | 'ending' | 'gone' | 'unknown' | undefined;
  /**
   * The last login inside the member's own host that ended, and when. Succeeded: the server answered, be it with a
   * refusal ("too many clients", "starting up").
   */
  newConnection?: { succeeded: boolean; endedAt: number } | undefined;
  /**
   * The canary's commit, inside the member's own host, synchronous_commit=local. Finished: the server said how it
   * ended, an error included; a session that broke says nothing.
   */
  commit?: { state: 'finished' } | { state: 'running'; since: number } | undefined;
  /** The last question to Patroni's REST interface that ended, and when; `failsafe`: failsafe_mode_is_active. */
  patroni?: { answered: boolean; failsafe: boolean; endedAt: number } | undefined;
  /**
   * Attempts that ended in this look and began after doubt arose: whether the address answered `from` there (a refused
   * connection is an answer). `reached` undefined: the host `from` did not answer the sentinel itself.
   */
  vantages?: readonly { from: string; reached: boolean | undefined }[] | undefined;
  leader?: LeaderRead | undefined;
  sync?: SyncRead | undefined;
  /**
   * Members other than the key's holder whose own host says that their PostgreSQL takes writes, and whose Patroni does
   * not answer.
   */
  strays?: readonly string[] | undefined;
  /** How a fence that was decided went: whether the signal was sent. */
  fenced?: { member: string; sent: boolean } | undefined;
}

/** What the cluster is and what is being done to it. */
export interface Setting {
  members: readonly string[];
  mode: ClusterPromise['mode'];
  /** Patroni's pause mode. */
  paused: boolean;
  maintenance: boolean;
  /** Who holds the cluster's operation lock, and what for; undefined: nobody. */
  operation: string | undefined;
}

/** The leader key, read with a quorum, or not. `sentAt`: when the question was sent, not when the answer came. */
export type LeaderRead =
  | {
      state: 'held';
      name: string;
      /**
       * Changes when the key is taken anew, not when its lease is renewed. etcd: mod_revision. Kubernetes: the number
       * of transitions; the resourceVersion to compare is read right before the deletion.
       */
      revision: string;
      leaseRemainingMs: number;
      ttlMs: number;
      sentAt: number;
    }
  | { state: 'none'; sentAt: number }
  | { state: 'unreadable' };

/** The /sync record, read together with the leader key, and what its standbys do now. */
export interface SyncRead {
  leader: string | undefined;
  /** `answers`: its Patroni answered since the last look, runs its PostgreSQL, and carries no tag nofailover. */
  standbys: readonly { name: string; streams: boolean | undefined; answers: boolean }[];
}
