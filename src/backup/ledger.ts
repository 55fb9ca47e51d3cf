/** Ledgers of acknowledged writes in restored data: chains of hashes that nothing may break. */
import { createHash } from 'node:crypto';
import { chainBreaks, chainHash } from '../core/drill/chain.ts';
import type { LedgerRow } from '../core/drill/history.ts';
import type { Scratch } from '../platform/contract.ts';

export interface LedgerFacts {
  database: string;
  rows: number;
  /** Of the last row. ISO 8601. */
  lastWrittenAt: string | undefined;
  /** Rows before which one is missing, or which are not what was written. */
  broken: number;
}

const TABLE = 'pgherd_drill.ledger';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Reads and checks the ledger of each database that has one. */
export async function readLedgers(
  scratch: Scratch,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<LedgerFacts[]> {
  const found: LedgerFacts[] = [];
  for (const database of databases) {
    await using session = await scratch.session(database, signal);
    const [there] = await session.query('SELECT to_regclass($1) IS NOT NULL AS there', [TABLE]);
    if (there?.there !== true) continue;
    const rows = await session.query(
      `SELECT run, id, chain, sequence, previous, hash FROM ${TABLE} ORDER BY run, chain, sequence`,
    );
    const [last] = await session.query(
      `SELECT to_char(max(written_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM ${TABLE}`,
    );
    found.push({
      database,
      rows: rows.length,
      lastWrittenAt: typeof last?.at === 'string' ? last.at : undefined,
      broken: countBroken(rows),
    });
  }
  return found;
}

function countBroken(rows: Record<string, unknown>[]): number {
  const runs = Map.groupBy(rows, row => String(row.run));
  let broken = 0;
  for (const own of runs.values()) {
    const ledger = own.map(
      (row): LedgerRow => ({
        id: String(row.id),
        chain: String(row.chain),
        sequence: Number(row.sequence),
        previous: String(row.previous),
        hash: String(row.hash),
      }),
    );
    const authentic = ({ previous, chain, sequence, id, hash }: LedgerRow) =>
      hash === chainHash(previous, chain, sequence, id, sha256);
    const { holes, reordered } = chainBreaks(ledger, authentic);
    broken += holes.size + reordered.size;
  }
  return broken;
}
