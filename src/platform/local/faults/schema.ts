/** What a file of the register holds. Undo steps are plain data: whoever finds the file can carry them out. */
import { z } from 'zod';
import { faultSchema } from '../../../core/drill/faultSchema.ts';
import type { ProcessId } from '../../../lib/process.ts';

const processId: z.ZodType<ProcessId> = z.strictObject({ pid: z.number().int(), startTime: z.string() });
const member = z.string();

/** Each is carried out by its function in undo.ts, and may be carried out again. */
const undoStep = z.discriminatedUnion('kind', [
  /** SIGCONT. */
  z.strictObject({ kind: z.literal('continue'), processes: z.array(processId) }),
  /** Thaws a cgroup, moves its processes to `home` and removes it. */
  z.strictObject({ kind: z.literal('thaw'), cgroup: z.string(), home: z.string() }),
  /** Lets runit start these services again. */
  z.strictObject({ kind: z.literal('take-up'), services: z.array(z.string()) }),
  /** The standby replays again. */
  z.strictObject({ kind: z.literal('replay'), member }),
  /** A data directory that was moved from `from` to `to`. */
  z.strictObject({ kind: z.literal('lost-data'), member, from: z.string(), to: z.string() }),
  /** The supervisor of the servers and the resident control plane run again. */
  z.strictObject({ kind: z.literal('control-plane') }),
  z.strictObject({ kind: z.literal('remove-file'), path: z.string() }),
  /** Writes to the file system that is mounted here go on. */
  z.strictObject({ kind: z.literal('thaw-volume'), path: z.string() }),
  /** Rules of the packet filter in a network namespace, known by their comment. */
  z.strictObject({ kind: z.literal('packet-rules'), namespace: z.string(), tag: z.string() }),
  /** Modes of directories as they were. */
  z.strictObject({
    kind: z.literal('modes'),
    directories: z.array(z.strictObject({ path: z.string(), mode: z.number().int() })),
  }),
  /** A file of a repository, of which a copy was put aside. */
  z.strictObject({ kind: z.literal('put-back'), path: z.string(), saved: z.string() }),
  /** A small file system that lies over a directory. */
  z.strictObject({ kind: z.literal('unmount'), path: z.string() }),
  /** The interface in the namespace of a member's host. */
  z.strictObject({ kind: z.literal('link-up'), namespace: z.string() }),
]);

export type UndoStep = z.infer<typeof undoStep>;
export type StepOf<K extends UndoStep['kind']> = Extract<UndoStep, { kind: K }>;

export const registerEntry = z.strictObject({
  schema: z.literal(1),
  id: z.string(),
  fault: faultSchema,
  description: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** The process that injected it. */
  owner: processId,
  undo: z.array(undoStep),
});

export type RegisterEntry = z.infer<typeof registerEntry>;
