import { databaseContainer } from '../../../core/manifest/sections/kubernetes.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { archiveUpToNow } from '../../../engine/postgres/archiveNow.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { TEMPLATE_HASH } from '../objects/labels.ts';
import { backupConfigName } from '../objects/names.ts';
import { primaryOf, viewOf } from '../patroni/view.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import type { Reconciler } from './context.ts';

/**
 * Before the members of a clone are made: there is something to copy, and where the source runs its archive leads to the
 * present, with a commit behind it, so that every moment until now can be met. Rejects with a RefusedError where there is
 * nothing: it would be tried for ever.
 */
export async function prepareClone(
  { kubernetes: { clone } }: ClusterSpec,
  namespace: string,
  { client, watched, now }: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  if (clone === undefined) return;
  const { cluster, time } = clone;
  if (watched.find('Secret', namespace, backupConfigName(cluster)) === undefined) {
    throw new RefusedError({
      code: 'clone-source-missing',
      message: `there is no cluster ${cluster} with backups in namespace ${namespace} to be copied`,
      hint: 'it begins by itself once there is one',
    });
  }
  if (time !== undefined && Date.parse(time) > now().getTime()) {
    throw new RefusedError({
      code: 'clone-in-future',
      message: `the clone is to be made as of ${time}, which is not over`,
      hint: 'it begins by itself then',
    });
  }
  const key = `${namespace}/${cluster}`;
  const primary = primaryOf(
    viewOf({
      cluster,
      hashAnnotation: TEMPLATE_HASH,
      pods: watched.children('Pod', key),
      configMaps: watched.children('ConfigMap', key),
      renewedAgoMs: watched.renewedAgoMs(key, performance.now()),
    }),
  );
  if (primary?.well !== true) return;
  try {
    const target = { namespace, pod: primary.name, container: databaseContainer };
    await using session = await PsqlSession.open(client, target, 'postgres', signal);
    await archiveUpToNow(session, signal);
  } catch {
    // What was archived before is there; a moment that it does not lead to is tried again by Patroni.
    signal.throwIfAborted();
  }
}
