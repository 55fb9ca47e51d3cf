import { z } from 'zod';

/** An entry of a journal as it is kept, whatever keeps it. */
export const journalEntry = z.object({
  at: z.string(),
  actor: z.string(),
  event: z.string(),
  subject: z.string(),
  message: z.string(),
  reason: z.string().optional(),
});
