/**
 * Carries out undo steps. Each may be carried out again, by whoever finds it: what is undone already, or what has
 * gone in the meantime, is fine.
 */
import { rm } from 'node:fs/promises';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import type { FaultContext } from './injector.ts';
import { send } from './processes.ts';
import type { StepOf, UndoStep } from './schema.ts';

/** Resolves with a sentence about what was done, or undefined where nothing was left to do. */
export type Undo<K extends UndoStep['kind']> = (
  step: StepOf<K>,
  context: FaultContext,
  signal: AbortSignal,
) => Promise<string | undefined>;

export type Undoers = { [K in UndoStep['kind']]: Undo<K> };

/** Some steps could not be carried out; those that could were. */
export class UndoError extends PgherdError {}

/** Tries every step. Resolves with what was done; rejects with an UndoError afterwards when one failed. */
export async function undoAll(
  steps: UndoStep[],
  undoers: Undoers,
  context: FaultContext,
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = [];
  const failed: string[] = [];
  for (const step of steps) {
    try {
      const undo = undoers[step.kind] as Undo<UndoStep['kind']>;
      const sentence = await undo(step, context, signal);
      if (sentence !== undefined) done.push(sentence);
    } catch (error) {
      failed.push(`${step.kind}: ${messageOf(error)}`);
    }
  }
  if (failed.length === 0) return done;
  throw new UndoError({
    code: 'undo-failed',
    message: `${failed.length} of ${steps.length} steps of the undo failed`,
    detail: [...failed, ...done].join('\n'),
  });
}

const LATER = async (): Promise<never> => {
  throw new PgherdError({ code: 'no-such-undo', message: 'it cannot be undone yet' });
};

export const UNDOERS: Undoers = {
  async continue({ processes }) {
    const sent: number[] = [];
    for (const id of processes) if (await send(id, 'SIGCONT')) sent.push(id.pid);
    return sent.length === 0 ? undefined : `SIGCONT to ${sent.join(', ')}`;
  },
  thaw: LATER,
  'take-up': LATER,
  replay: LATER,
  'lost-data': LATER,
  async 'control-plane'(_step, { reviveControlPlane }) {
    await reviveControlPlane();
    return 'the control plane and the supervisor of the servers run';
  },
  async 'remove-file'({ path }) {
    await rm(path, { force: true });
    return `deleted ${path}`;
  },
};
