import type { Sha256 } from './chain.ts';
import { type Findings, findingsOf, openJournal, sameContent } from './checkMember.ts';
import type { LedgerRow, MemberLedger, Outcome, WriteRecord } from './history.ts';
import { type Loss, lossOf } from './loss.ts';

/** Writes with something in common: how many, and the first of them by name. */
export interface Listed {
  count: number;
  /** At most 20. */
  ids: string[];
}

const listedAtMost = 20;

/** What the journal says against the rows of one member, or of all. Ids are counted, not rows. */
export type CheckFindings = Record<keyof Findings, Listed> & {
  /** What is there of each chain is its beginning, in order and without a hole. Whether all of it is, `lost` tells. */
  prefix: boolean;
  loss: Loss;
};

export interface MemberCheck extends CheckFindings {
  member: string;
  rows: number;
}

/** Over all members: a finding on any of them counts once; `unknownAbsent` is absent on all of them. */
export interface OverallCheck extends CheckFindings {
  /** On some members and not on others, whatever the outcome. */
  divided: Listed;
}

export interface LedgerCheck {
  /** Writes of the journal by outcome. */
  writes: Record<Outcome, number>;
  overall: OverallCheck;
  members: MemberCheck[];
}

/**
 * The journal of a run against every member's rows, read after the cluster was whole again: an acknowledged write must
 * be there once, on every member; a failed one must not; an unknown one may be or not, but on all members alike. The
 * order of `writes` and of rows does not matter. Linear in the number of rows. Without members nothing is found: it is
 * for the verdict to ask whether all were read. Throws when an id is journalled twice.
 */
export function checkLedger(writes: WriteRecord[], members: MemberLedger[], sha256: Sha256): LedgerCheck {
  const journal = openJournal(writes, sha256);
  const outcomes: Record<Outcome, number> = { acknowledged: 0, failed: 0, unknown: 0 };
  for (const { outcome } of writes) outcomes[outcome] += 1;
  const holders = new Uint32Array(writes.length);
  const strangers = new Map<string, { first: LedgerRow; holders: number }>();
  const unlike = new Set<string>();
  const found = members.map(ledger =>
    findingsOf(journal, ledger, (row, index) => {
      if (index !== undefined) {
        holders[index] = (holders[index] ?? 0) + 1;
        return;
      }
      const stranger = strangers.get(row.id);
      if (stranger === undefined) strangers.set(row.id, { first: row, holders: 1 });
      else {
        stranger.holders += 1;
        if (!sameContent(stranger.first, row)) unlike.add(row.id);
      }
    }),
  );
  const some = (count: number | undefined) => count !== undefined && count > 0 && count < members.length;
  const divided = new Set<string>();
  writes.forEach(({ id }, index) => {
    if (some(holders[index])) divided.add(id);
  });
  for (const [id, stranger] of strangers) if (some(stranger.holders)) divided.add(id);
  const merged = union(found);
  for (const id of unlike) merged.differing.add(id);
  for (const id of merged.unknownPresent) merged.unknownAbsent.delete(id);
  return {
    writes: outcomes,
    overall: { ...summarized(merged, writes), divided: listed(divided) },
    members: members.map(({ member, rows }, index) => ({
      member,
      rows: rows.length,
      ...summarized(found[index] ?? union([]), writes),
    })),
  };
}

function union(all: Findings[]): Findings {
  const of = (key: keyof Findings) => {
    const ids = new Set<string>();
    for (const findings of all) for (const id of findings[key]) ids.add(id);
    return ids;
  };
  return {
    lost: of('lost'),
    phantom: of('phantom'),
    foreign: of('foreign'),
    duplicate: of('duplicate'),
    differing: of('differing'),
    unknownPresent: of('unknownPresent'),
    unknownAbsent: of('unknownAbsent'),
    holes: of('holes'),
    reordered: of('reordered'),
  };
}

function summarized(findings: Findings, writes: WriteRecord[]): CheckFindings {
  return {
    lost: listed(findings.lost),
    phantom: listed(findings.phantom),
    foreign: listed(findings.foreign),
    duplicate: listed(findings.duplicate),
    differing: listed(findings.differing),
    unknownPresent: listed(findings.unknownPresent),
    unknownAbsent: listed(findings.unknownAbsent),
    holes: listed(findings.holes),
    reordered: listed(findings.reordered),
    prefix: findings.holes.size === 0 && findings.reordered.size === 0,
    loss: lossOf(writes, index => findings.lost.has(writes[index]?.id ?? '')),
  };
}

function listed(ids: Set<string>): Listed {
  const first: string[] = [];
  for (const id of ids) {
    if (first.length === listedAtMost) break;
    first.push(id);
  }
  return { count: ids.size, ids: first };
}
