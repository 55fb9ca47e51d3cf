import { PgherdError } from '../lib/errors.ts';
import type { ClusterRef, PlatformCluster } from '../platform/contract.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage.ts';

/**
 * The cluster that a name on the command line means: the one in the namespace that was named, else the only
 * one of that name. Throws when there is none, or when several could be meant.
 */
export function chooseCluster(
  clusters: readonly ClusterRef[],
  name: string,
  namespace: string | undefined,
): ClusterRef {
  const sameName = clusters.filter(ref => ref.name === name);
  const found = namespace === undefined ? sameName : sameName.filter(ref => ref.namespace === namespace);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length > 1) {
    throw new UsageError(
      `there is more than one cluster named ${name}: in the namespaces ${found.map(ref => ref.namespace).join(', ')}`,
      `say which one is meant, for example: -n ${only?.namespace}`,
    );
  }
  throw new PgherdError({
    code: 'cluster-not-found',
    message: `there is no cluster named ${name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`,
    hint: hintFor(clusters, name, sameName),
  });
}

function hintFor(clusters: readonly ClusterRef[], name: string, sameName: readonly ClusterRef[]): string {
  if (sameName.length > 0)
    return `${name} exists in namespace ${sameName.map(ref => ref.namespace).join(', ')}`;
  if (clusters.length === 0) return 'there are no clusters here yet: create one with `pgherd up FILE`';
  return `there is: ${clusters.map(ref => `${ref.name} (namespace ${ref.namespace})`).join(', ')}`;
}

/** Opens the cluster that the command line means, until the end of the session. */
export async function openCluster(session: Session, name: string): Promise<PlatformCluster> {
  const platform = await session.platform();
  const ref = chooseCluster(await platform.list(session.signal), name, session.globals.namespace);
  return session.scope.use(await platform.open(ref, session.signal));
}
