import { InterruptedError } from '../interrupt.ts';
import type { Session } from '../session.ts';

/** Runs the control plane until it is told to stop: being stopped is its normal end, not a failure. */
export async function keep(session: Session): Promise<void> {
  const { signal, surroundings, output, stateDir } = session;
  const platform = await session.platform();
  try {
    await surroundings.adapters.keeper(platform, { stateDir, signal, report: line => output.note(line) });
  } catch (error) {
    if (!(signal.reason instanceof InterruptedError)) throw error;
  }
}
