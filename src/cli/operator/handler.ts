import { resolve } from 'node:path';
import { InterruptedError } from '../interrupt.ts';
import type { Session } from '../session.ts';
import type { OperatorFlags } from './command.ts';

const METRICS_PORT = 8080;

/** Runs the operator until it is told to stop: being stopped is its normal end, not a failure. */
export async function operate(session: Session, flags: OperatorFlags): Promise<void> {
  const { signal, surroundings, output, globals } = session;
  const path = (file: string | undefined) =>
    file === undefined ? undefined : resolve(surroundings.cwd, file);
  try {
    await surroundings.adapters.operator({
      configFile: path(flags.config),
      kubeconfig: path(globals.kubeconfig),
      context: globals.context,
      namespace: globals.namespace,
      metricsPort: flags.metricsPort ?? METRICS_PORT,
      signal,
      report: line => output.note(`${session.now().toISOString()} ${line}`),
    });
  } catch (error) {
    if (!(signal.reason instanceof InterruptedError)) throw error;
  }
}
