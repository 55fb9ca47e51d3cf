import type { LiveObject } from '../api/kinds.ts';
import { APPLICATION_LABEL, DUMPS_APPLICATION } from '../objects/labels.ts';
import { patroniConfigMaps, repositoryHostName } from '../objects/names.ts';
import type { Reconciler } from './context.ts';

/** Keeps the object until what must go in order is gone. */
export const FINALIZER = 'pgherd.dev/cleanup';

/**
 * `delete` on a manifest takes its volumes, Secrets and Patroni's state along when it is deleted; otherwise all three
 * stay, and a manifest of the same name applied later finds the data again.
 */
export const DATA_ANNOTATION = 'pgherd.dev/on-delete';

export type DeletionResult = { done: boolean; waitingFor: string | undefined };

/**
 * One round of taking down a deleted cluster. Its objects go with their owner; here goes what belongs to nobody, and
 * only if that was asked for. Patroni's state stays with the volumes on purpose: it says which member had every
 * acknowledged write, so that no other one is promoted when the cluster is made again.
 */
export async function takeDown(
  cluster: LiveObject,
  reconciler: Reconciler,
  signal: AbortSignal,
): Promise<DeletionResult> {
  const { client, watched, config } = reconciler;
  const { name, namespace = 'default' } = cluster.metadata;
  const key = `${namespace}/${name}`;
  const finalizers = cluster.metadata.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return { done: true, waitingFor: undefined };
  const ours = (object: LiveObject) =>
    object.metadata.ownerReferences?.some(owner => owner.uid === cluster.metadata.uid) === true;

  for (const kind of ['StatefulSet', 'Deployment', 'CronJob'] as const) {
    for (const object of watched.children(kind, key).filter(ours)) {
      // The members archive what they wrote last; it goes with its owner, after them.
      if (object.metadata.name === repositoryHostName(name)) continue;
      if (object.metadata.deletionTimestamp !== undefined) continue;
      await client.remove(
        { kind, namespace, name: object.metadata.name },
        { uid: object.metadata.uid },
        signal,
      );
    }
  }
  const pods = watched
    .children('Pod', key)
    .filter(pod => pod.metadata.labels?.application === 'spilo')
    .map(pod => pod.metadata.name);
  // Their rights and configuration have to be there until they have stopped in order.
  if (pods.length > 0) return { done: false, waitingFor: pods.join(', ') };

  const withData =
    cluster.metadata.annotations?.[DATA_ANNOTATION] === 'delete' || config.volumes.whenDeleted === 'Delete';
  if (withData) {
    for (const kind of ['PersistentVolumeClaim', 'Secret'] as const) {
      for (const object of watched.children(kind, key)) {
        // The last copy is not taken along: dumps are for a person to delete.
        if (object.metadata.labels?.[APPLICATION_LABEL] === DUMPS_APPLICATION) continue;
        // The repository host's volume stays until its pod, which goes last, has let go of it.
        if (object.metadata.deletionTimestamp !== undefined) continue;
        await client.remove(
          { kind, namespace, name: object.metadata.name },
          { uid: object.metadata.uid },
          signal,
        );
      }
    }
    for (const map of patroniConfigMaps(name)) {
      if (watched.find('ConfigMap', namespace, map) === undefined) continue;
      await client.remove({ kind: 'ConfigMap', namespace, name: map }, {}, signal);
    }
  }
  await client.merge(
    { kind: 'postgresql', namespace, name },
    {
      metadata: {
        resourceVersion: cluster.metadata.resourceVersion,
        finalizers: finalizers.filter(finalizer => finalizer !== FINALIZER),
      },
    },
    signal,
  );
  return { done: true, waitingFor: undefined };
}
