/** What a platform offers for planned moves and restarts of the primary, so that its clients meet no error. */

export interface Moves {
  /**
   * Lets no client of the primary's poolers begin a transaction, for at most `limitMs`, and for a second or two after
   * the death of whoever holds. Where there are no such poolers nobody waits.
   */
  holdClients(limits: HoldLimits): Promise<ClientHold>;
  /**
   * Keeps Patroni from ending the member's PostgreSQL, until it is disposed of and for a few seconds at most: a hold of
   * clients can begin when all else is done. undefined: this platform cannot, so clients are held before anything is asked for.
   */
  shutStopGate(member: string): Promise<StopGate | undefined>;
  /**
   * Writes what a member still has to write, so that the shutdown to come is short; waits up to half a minute for it.
   * Rejects with a PgherdError when the member does not do it.
   */
  checkpoint(member: string, signal: AbortSignal): Promise<void>;
  /** Waits until another member than this one takes writes. Resolves with its name. */
  awaitOtherPrimary(than: string, options: { timeoutMs: number; signal: AbortSignal }): Promise<string>;
  /**
   * For a planned move in a synchronous mode: once PostgreSQL of the member has been shut down, deletes its leader key
   * if it is unchanged and a synchronous standby is recorded, which Patroni does a second later. Resolves with the
   * standbys that may take it, or none if it was not deleted; rejects when the signal aborts before.
   */
  handOn(member: string, signal: AbortSignal): Promise<string[]>;
}

export interface HoldLimits {
  limitMs: number;
  /** Waits so long for transactions under way. Milliseconds. */
  drainMs: number;
  /** Who comes anew past the poolers is turned away: a server that is to end has enough to do. */
  turnAway?: boolean;
}

export interface ClientHold extends AsyncDisposable {
  /** All transactions have ended. False: some are under way still, and others wait. */
  drained: boolean;
  /** Prepares for this one to be the next primary: a `release` to it is the quicker for it. Only the first call counts. */
  aim(primary: string): Promise<void>;
  /** Leads the endpoints to this primary, where one is named, and lets clients go on. May be repeated. */
  release(primary?: string): Promise<void>;
}

export interface StopGate extends AsyncDisposable {
  /** Patroni is about to end the server, and waits. Never resolves when that does not come; never rejects. */
  reached: Promise<void>;
}
