/** Proofs: what a real restore of a backup has shown. */
import { z } from 'zod';

const proof = z.object({
  repository: z.string(),
  backup: z.string(),
  /** When it was finished. ISO 8601. */
  at: z.string(),
  durationMs: z.number(),
  outcome: z.enum(['proven', 'damaged']),
  /** What is wrong, one sentence each. Files are named. */
  problems: z.array(z.string()),
  /** Where the replay of all WAL ended. */
  lsn: z.string().optional(),
  lastCommitAt: z.string().optional(),
  /** Rows of the ledgers that were found and checked. */
  ledgerRows: z.number().optional(),
});

/** One restore into a scratch server, replayed to the end of the archive and checked. */
export type Proof = z.infer<typeof proof>;

/** Name of the document in `Backups.memory`. */
export const PROOFS = 'proofs';
const KEPT = 200;

const document = z.object({ proofs: z.array(proof) });

/** What cannot be understood counts as no proof. */
export function parseProofs(text: unknown): Proof[] {
  const parsed = document.safeParse(text);
  return parsed.success ? parsed.data.proofs : [];
}

/** The document with one more; of each backup in each repository only the last one counts. */
export function withProof(known: readonly Proof[], added: Proof): { proofs: Proof[] } {
  const others = known.filter(
    ({ repository, backup }) => repository !== added.repository || backup !== added.backup,
  );
  return { proofs: [...others, added].slice(-KEPT) };
}

export function proofOf(known: readonly Proof[], repository: string, backup: string): Proof | undefined {
  return known.findLast(found => found.repository === repository && found.backup === backup);
}
