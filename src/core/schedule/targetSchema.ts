/** The target of a restore as it stands in a record, read back by another process. */
import { z } from 'zod';
import type { RecoveryTarget } from './target.ts';

export const recoveryTarget: z.ZodType<RecoveryTarget> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('time'), at: z.string() }),
  z.object({ kind: z.literal('lsn'), lsn: z.string() }),
  z.object({ kind: z.literal('xid'), xid: z.string() }),
  z.object({ kind: z.literal('name'), name: z.string() }),
  z.object({ kind: z.literal('immediate') }),
]);
