import { destroy } from '../../control/operations.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { ClusterRef, PlatformCluster } from '../../platform/contract.ts';
import { ask } from '../prompt.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { lossText } from './render.ts';

export interface DestroyOutcome {
  ref: ClusterRef;
  kept: string[];
  durationMs: number;
}

/** Observing what is about to go must not delay it for long: a broken cluster can be destroyed as well. */
const LOOK_MS = 5_000;

/** Deletes the cluster once its name was typed, or given with --yes-destroy. */
export async function destroyCluster(
  session: Session,
  name: string,
  given: string | undefined,
  onConfirmed: () => void,
): Promise<DestroyOutcome> {
  const cluster = await openCluster(session, name);
  if (given === undefined) await confirm(session, cluster);
  else if (given !== name) throw mismatch(name, given);
  onConfirmed();
  const { kept } = await destroy(cluster, session.context);
  return { ref: cluster.ref, kept, durationMs: session.progress.elapsedMs };
}

async function confirm(session: Session, cluster: PlatformCluster): Promise<void> {
  const { name } = cluster.ref;
  const { surroundings, output } = session;
  if (surroundings.stdin.isTTY !== true || !output.isErrorTerminal) {
    throw new RefusedError({
      code: 'not-confirmed',
      message: `destroying ${name} deletes its data, and nobody is here to confirm it`,
      hint: `say it: ${session.command(['destroy', name, '--yes-destroy', name], cluster.ref)}`,
    });
  }
  const observed = await cluster
    .observe({ catalog: false }, AbortSignal.any([session.signal, AbortSignal.timeout(LOOK_MS)]))
    .catch(() => undefined);
  session.signal.throwIfAborted();
  session.progress.end();
  output.note(lossText(cluster.ref, observed, session.stateDir));
  const typed = await ask('Type the name of the cluster to destroy it: ', session);
  if (typed.trim() !== name) throw mismatch(name, typed.trim());
}

function mismatch(name: string, given: string): RefusedError {
  return new RefusedError({
    code: 'not-confirmed',
    message:
      given === ''
        ? 'no name was given: nothing was deleted'
        : `"${given}" is not ${name}: nothing was deleted`,
  });
}
