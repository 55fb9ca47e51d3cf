import { destroy } from '../../control/operations.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import { confirmName } from '../prompt.ts';
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
  const { output } = session;
  await confirmName(session, {
    name,
    given,
    question: 'Type the name of the cluster to destroy it: ',
    refusal: `destroying ${name} deletes its data, and nobody is here to confirm it`,
    hint: `say it: ${session.command(['destroy', name, '--yes-destroy', name], cluster.ref)}`,
    spared: 'nothing was deleted',
    before: async () => {
      const observed = await cluster
        .observe({ catalog: false }, AbortSignal.any([session.signal, AbortSignal.timeout(LOOK_MS)]))
        .catch(() => undefined);
      session.signal.throwIfAborted();
      session.progress.end();
      output.note(lossText(cluster.ref, observed, session.stateDir));
    },
  });
  onConfirmed();
  const { kept } = await destroy(cluster, session.context);
  return { ref: cluster.ref, kept, durationMs: session.progress.elapsedMs };
}
