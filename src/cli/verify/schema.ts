/** The document that `verify --output json` prints. */
import { z } from 'zod';

export const verifyDocument = z.object({
  schema: z.literal(1).describe('version of this document'),
  cluster: z.string().describe('name of the cluster'),
  namespace: z.string().describe('namespace of the cluster'),
  proven: z.boolean().describe('every backup that was tried is whole'),
  proofs: z.array(
    z.object({
      repository: z.string(),
      backup: z.string(),
      outcome: z.enum(['proven', 'damaged']),
      problems: z.array(z.string()).describe('what is wrong; files are named'),
      lsn: z.string().nullable().describe('where the replay of all WAL ended'),
      lastCommitAt: z.string().nullable(),
      ledgerRows: z.int().nullable().describe('rows of ledgers that were checked; null: there is no ledger'),
      seconds: z.number().min(0),
    }),
  ),
  seconds: z.number().min(0).describe('seconds that the command took'),
});

export type VerifyDocument = z.infer<typeof verifyDocument>;
