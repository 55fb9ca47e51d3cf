/** What load generators record while a drill runs, and what a member's ledger holds afterwards. */

export type Outcome = 'acknowledged' | 'failed' | 'unknown';

/** One write: journalled before it is sent, completed when it has ended. Times are Unix milliseconds, with fractions. */
export interface WriteRecord {
  /** Unique over all runs. */
  id: string;
  /** The way the write took: "pooler", "primary, new connection", "inside demo-0". */
  path: string;
  chain: string;
  /** From 0, one more with each write of the chain. */
  sequence: number;
  /** Hash of the row before it in its chain; empty for the first. */
  previous: string;
  hash: string;
  sentAt: number;
  /** Infinity: the drill was over before an answer came. */
  endedAt: number;
  outcome: Outcome;
  /** SQLSTATE, or the system's code (ECONNREFUSED), of what was not acknowledged. */
  code: string | undefined;
  /** Who acknowledged: the address that the server knows itself by, the timeline, and the WAL position of the insert. */
  server: string | undefined;
  timeline: number | undefined;
  lsn: bigint | undefined;
}

export interface ReadRecord {
  path: string;
  sentAt: number;
  endedAt: number;
  ok: boolean;
  code: string | undefined;
  server: string | undefined;
}

/** A row as a member has it. */
export interface LedgerRow {
  id: string;
  chain: string;
  sequence: number;
  previous: string;
  hash: string;
}

/** Everything one member has of this run, read after the cluster was whole again. */
export interface MemberLedger {
  member: string;
  rows: LedgerRow[];
}
