import { chainBreaks, chainHash, type Sha256 } from './chain.ts';
import type { LedgerRow, MemberLedger, WriteRecord } from './history.ts';

/** The journal of a run, made for looking up. */
export interface Journal {
  writes: WriteRecord[];
  indexOf: Map<string, number>;
  /** The row's hash follows from its other fields. Computed once for the rows that are as journalled at `index`. */
  authentic(row: LedgerRow, index: number | undefined): boolean;
}

/** Throws when an id is journalled twice: nothing could be told from such a journal. */
export function openJournal(writes: WriteRecord[], sha256: Sha256): Journal {
  const indexOf = new Map<string, number>();
  writes.forEach(({ id }, index) => {
    if (indexOf.has(id)) throw new Error(`the journal holds the write ${id} twice`);
    indexOf.set(id, index);
  });
  const verified = new Uint8Array(writes.length);
  return {
    writes,
    indexOf,
    authentic({ previous, chain, sequence, id, hash }, index) {
      if (index !== undefined && verified[index] === 1) return true;
      const good = hash === chainHash(previous, chain, sequence, id, sha256);
      if (index !== undefined && good) verified[index] = 1;
      return good;
    },
  };
}

export function sameContent(a: LedgerRow, b: LedgerRow): boolean {
  return a.hash === b.hash && a.previous === b.previous && a.sequence === b.sequence && a.chain === b.chain;
}

/** Ids by what is wrong, or remarkable, with them on one member. */
export interface Findings {
  /** Acknowledged and absent. */
  lost: Set<string>;
  /** Failed and yet present. */
  phantom: Set<string>;
  /** Present and never journalled. */
  foreign: Set<string>;
  /** Present more than once. */
  duplicate: Set<string>;
  /** Present with other content than journalled. */
  differing: Set<string>;
  /** Outcome unknown; allowed either way. */
  unknownPresent: Set<string>;
  unknownAbsent: Set<string>;
  /** The row before it in its chain is missing. */
  holes: Set<string>;
  /** Its hash, its predecessor's hash or its place in the chain is wrong. */
  reordered: Set<string>;
}

/** One member's rows against the journal. Linear in both. `present` is told of each row, repetitions left out. */
export function findingsOf(
  journal: Journal,
  ledger: MemberLedger,
  present: (row: LedgerRow, index: number | undefined) => void,
): Findings {
  const { writes, indexOf } = journal;
  const seen = new Uint8Array(writes.length);
  const foreign = new Set<string>();
  const duplicate = new Set<string>();
  const differing = new Set<string>();
  const ours: LedgerRow[] = [];
  const forged = new Set<LedgerRow>();
  for (const row of ledger.rows) {
    const index = indexOf.get(row.id);
    const write = index === undefined ? undefined : writes[index];
    const asWritten = write !== undefined && sameContent(row, write);
    if (write !== undefined && !asWritten) differing.add(row.id);
    if (index === undefined ? foreign.has(row.id) : seen[index] === 1) {
      duplicate.add(row.id);
      continue;
    }
    if (index === undefined) foreign.add(row.id);
    else {
      seen[index] = 1;
      ours.push(row);
      if (!journal.authentic(row, asWritten ? index : undefined)) forged.add(row);
    }
    present(row, index);
  }
  const breaks = chainBreaks(ours, row => !forged.has(row));
  return { foreign, duplicate, differing, ...byOutcome(writes, seen), ...breaks };
}

function byOutcome(writes: WriteRecord[], seen: Uint8Array) {
  const lost = new Set<string>();
  const phantom = new Set<string>();
  const unknownPresent = new Set<string>();
  const unknownAbsent = new Set<string>();
  writes.forEach(({ id, outcome }, index) => {
    const there = seen[index] === 1;
    if (outcome === 'unknown') (there ? unknownPresent : unknownAbsent).add(id);
    else if (outcome === 'acknowledged' && !there) lost.add(id);
    else if (outcome === 'failed' && there) phantom.add(id);
  });
  return { lost, phantom, unknownPresent, unknownAbsent };
}
