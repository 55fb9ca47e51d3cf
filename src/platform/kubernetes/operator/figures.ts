import type { LiveObject } from '../api/kinds.ts';
import type { MemberFigure, MetricsSource } from '../metrics/metrics.ts';
import { TEMPLATE_HASH } from '../objects/labels.ts';
import { primaryOf, viewOf } from '../patroni/view.ts';
import type { ClusterStatus } from '../status/compute.ts';
import type { Watched } from './watched.ts';

/** Figures of all clusters, from what is watched: a scrape asks nobody. */
export function figuresOf(watched: Watched): Pick<MetricsSource, 'clusters' | 'members'> {
  return {
    clusters: () =>
      watched.clusters().map(cluster => {
        const status = cluster.status as Partial<ClusterStatus> | undefined;
        return { ...placeOf(cluster), status: status?.PostgresClusterStatus ?? 'Unknown' };
      }),
    members: () => watched.clusters().flatMap(cluster => membersOf(cluster, watched)),
  };
}

function membersOf(object: LiveObject, watched: Watched): MemberFigure[] {
  const { namespace, cluster } = placeOf(object);
  const key = `${namespace}/${cluster}`;
  const view = viewOf({
    cluster,
    hashAnnotation: TEMPLATE_HASH,
    pods: watched.children('Pod', key),
    configMaps: watched.children('ConfigMap', key),
    renewedAgoMs: watched.renewedAgoMs(key, performance.now()),
  });
  const head = primaryOf(view)?.position;
  return view.members.map(member => {
    const behind = head === undefined || member.position === undefined ? undefined : head - member.position;
    return {
      namespace,
      cluster,
      member: member.name,
      role: member.role ?? 'unknown',
      well: member.well,
      lagBytes: member.role === 'standby' && behind !== undefined ? Math.max(0, behind) : undefined,
    };
  });
}

function placeOf(cluster: LiveObject): { namespace: string; cluster: string } {
  return { namespace: cluster.metadata.namespace ?? 'default', cluster: cluster.metadata.name };
}
