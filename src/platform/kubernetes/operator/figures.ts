import type { LiveObject } from '../api/kinds.ts';
import { HEALTH, parseHealth } from '../backup/health.ts';
import { readNote } from '../backup/notes.ts';
import type { MemberFigure, MetricsSource, RepositoryFigure } from '../metrics/metrics.ts';
import { TEMPLATE_HASH } from '../objects/labels.ts';
import { repositoryHostName } from '../objects/names.ts';
import { primaryOf, viewOf } from '../patroni/view.ts';
import type { ClusterStatus } from '../status/compute.ts';
import type { Watched } from './watched.ts';

/** Figures of all clusters, from what is watched: a scrape asks nobody. */
export function figuresOf(
  watched: Watched,
): Pick<MetricsSource, 'clusters' | 'members' | 'repositories' | 'backupHealth'> {
  return {
    clusters: () =>
      watched.clusters().map(cluster => {
        const status = cluster.status as Partial<ClusterStatus> | undefined;
        return { ...placeOf(cluster), status: status?.PostgresClusterStatus ?? 'Unknown' };
      }),
    members: () => watched.clusters().flatMap(cluster => membersOf(cluster, watched)),
    repositories: () => watched.clusters().flatMap(cluster => repositoriesOf(cluster, watched, Date.now())),
    backupHealth: () =>
      watched.clusters().map(cluster => {
        const { conditions = [] } = (cluster.status ?? {}) as Partial<ClusterStatus>;
        const status = conditions.find(({ type }) => type === 'BackupHealthy')?.status ?? 'Unknown';
        return { ...placeOf(cluster), status };
      }),
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

function repositoriesOf(object: LiveObject, watched: Watched, now: number): RepositoryFigure[] {
  const place = placeOf(object);
  const notes = watched.find('ConfigMap', place.namespace, repositoryHostName(place.cluster));
  const age = (moments: string[]) =>
    moments.length === 0 ? undefined : (now - Math.max(...moments.map(at => Date.parse(at)))) / 1000;
  return (parseHealth(readNote(notes, HEALTH))?.repositories ?? []).map(({ name, backups, proof }) => ({
    ...place,
    repository: name,
    backupAge: age(backups.map(({ finishedAt }) => finishedAt)),
    proofAge: age(proof?.outcome === 'proven' ? [proof.at] : []),
  }));
}

function placeOf(cluster: LiveObject): { namespace: string; cluster: string } {
  return { namespace: cluster.metadata.namespace ?? 'default', cluster: cluster.metadata.name };
}
