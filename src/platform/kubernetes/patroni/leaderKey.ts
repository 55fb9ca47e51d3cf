/**
 * The leader key and the record of synchronous standbys, read together, and the one way to take the key away. Patroni
 * keeps them in annotations of two ConfigMaps; a list without a resource version is answered by the store with a quorum.
 */
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { CLUSTER_LABEL } from '../objects/labels.ts';
import { patroniConfigMaps } from '../objects/names.ts';
import type { DcsContext } from './write.ts';

export interface LeaderKey {
  /** undefined: nobody holds it. */
  holder: string | undefined;
  /** Changes when the key is taken anew, not when its lease is renewed. */
  revision: string;
  /** As written by the holder: compared, never read as a time. */
  renewTime: string;
  ttlMs: number;
  /** Of the ConfigMap: changes with everything, renewals included. */
  resourceVersion: string;
}

export interface DcsRead {
  key: LeaderKey | undefined;
  sync: { leader: string | undefined; standbys: string[] } | undefined;
  paused: boolean;
  /** A switchover is asked for and not done yet. */
  moving: boolean;
}

const DEFAULT_TTL_S = 30;

export async function readDcs({ client, namespace, cluster, signal }: DcsContext): Promise<DcsRead> {
  const labelSelector = `${CLUSTER_LABEL}=${cluster}`;
  const { items } = await client.list('ConfigMap', { namespace, labelSelector }, signal);
  return dcsOf(cluster, items);
}

export function dcsOf(cluster: string, configMaps: readonly LiveObject[]): DcsRead {
  const [leader, config, failover, sync] = patroniConfigMaps(cluster).map(
    name => configMaps.find(map => map.metadata.name === name)?.metadata,
  );
  const { annotations: key = {} } = leader ?? {};
  const record = sync?.annotations;
  const asked = failover?.annotations;
  return {
    key: leader && {
      holder: present(key.leader),
      revision: `${key.transitions ?? ''} ${key.acquireTime ?? ''}`,
      renewTime: key.renewTime ?? '',
      ttlMs: (Number(key.ttl) || DEFAULT_TTL_S) * 1000,
      resourceVersion: leader.resourceVersion,
    },
    sync: record && {
      leader: present(record.leader),
      standbys: (record.sync_standby ?? '').split(',').filter(name => name !== ''),
    },
    paused: /"pause":\s*true/.test(config?.annotations?.config ?? ''),
    moving: present(asked?.leader) !== undefined || present(asked?.member) !== undefined,
  };
}

/**
 * Takes the key away as Patroni itself does when it gives it back (dcs/kubernetes.py, delete_leader): the annotation
 * goes, while the ConfigMap is the very version that `judge` has found fit. Resolves with whether it was done. Lost
 * races against a renewal are judged anew, twice.
 */
export async function takeKey(judge: (read: DcsRead) => boolean, context: DcsContext): Promise<boolean> {
  const { client, namespace, cluster, signal } = context;
  const [name = ''] = patroniConfigMaps(cluster);
  for (let left = 3; left > 0; left -= 1) {
    const read = await readDcs(context);
    if (read.key?.holder === undefined || !judge(read)) return false;
    const { resourceVersion } = read.key;
    try {
      const metadata = { resourceVersion, annotations: { leader: null } };
      await client.merge({ kind: 'ConfigMap', namespace, name }, { metadata }, signal);
      return true;
    } catch (error) {
      if (!(error instanceof ApiConflictError)) throw error;
    }
  }
  return false;
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
