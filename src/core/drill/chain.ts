import type { LedgerRow } from './history.ts';

/** Hexadecimal SHA-256 of a text in UTF-8. Handed in: this room computes nothing that needs the system. */
export type Sha256 = (text: string) => string;

/**
 * The hash of a row: over the row before it, so that a row vouches for everything before it in its chain. JSON keeps
 * the fields apart; to check by hand: `printf %s '["","c1",0,"w1"]' | sha256sum`.
 */
export function chainHash(
  previous: string,
  chain: string,
  sequence: number,
  id: string,
  sha256: Sha256,
): string {
  return sha256(JSON.stringify([previous, chain, sequence, id]));
}

/** Ids of rows at which a chain breaks. */
export interface ChainBreaks {
  /** The row before it in its chain is missing. */
  holes: Set<string>;
  /** Its hash, its predecessor's hash or its place in the chain is wrong. */
  reordered: Set<string>;
}

/**
 * Walks every chain of one member's rows. A chain may end early (its tail is missing): whether that is a loss, the
 * journal tells. `authentic`: the row's hash follows from its other fields.
 */
export function chainBreaks(rows: Iterable<LedgerRow>, authentic: (row: LedgerRow) => boolean): ChainBreaks {
  const breaks: ChainBreaks = { holes: new Set(), reordered: new Set() };
  for (const chain of chainsOf(rows)) {
    let before: LedgerRow | undefined;
    for (const row of chain) {
      if (!authentic(row) || row.sequence === before?.sequence) breaks.reordered.add(row.id);
      else if (row.sequence !== 0 && before?.sequence !== row.sequence - 1) breaks.holes.add(row.id);
      else if (row.previous !== (before?.hash ?? '')) breaks.reordered.add(row.id);
      before = row;
    }
  }
  return breaks;
}

/** The rows of each chain by sequence. Tables are mostly read in that order: sorting is the exception. */
function chainsOf(rows: Iterable<LedgerRow>): Iterable<LedgerRow[]> {
  const chains = new Map<string, LedgerRow[]>();
  const unsorted = new Set<LedgerRow[]>();
  for (const row of rows) {
    const chain = chains.get(row.chain);
    if (chain === undefined) {
      chains.set(row.chain, [row]);
      continue;
    }
    if ((chain.at(-1)?.sequence ?? 0) > row.sequence) unsorted.add(chain);
    chain.push(row);
  }
  for (const chain of unsorted) chain.sort((a, b) => a.sequence - b.sequence);
  return chains.values();
}
