/** What the register of a cluster's faults holds. Undo steps are plain data: whoever finds them can carry them out. */
import { z } from 'zod';
import { faultSchema } from '../../../../core/drill/faultSchema.ts';

const processId = z.strictObject({ pid: z.number().int(), startTime: z.string() });

const undoStep = z.discriminatedUnion('kind', [
  /** SIGCONT in the pod of this uid: the processes of a later one are others. */
  z.strictObject({ kind: z.literal('continue'), member: z.string(), uid: z.string(), process: processId }),
  /** The standby replays again. */
  z.strictObject({ kind: z.literal('replay'), member: z.string() }),
]);

export type UndoStep = z.infer<typeof undoStep>;

export const registerEntry = z.strictObject({
  schema: z.literal(1),
  id: z.string(),
  fault: faultSchema,
  description: z.string(),
  at: z.iso.datetime(),
  /** The process that injected it, and the boot of the machine and the PID namespace that it runs in. */
  owner: processId.extend({ boot: z.string() }),
  undo: z.array(undoStep),
});

export type RegisterEntry = z.infer<typeof registerEntry>;
