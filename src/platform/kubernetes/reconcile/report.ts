import type { LiveObject } from '../api/kinds.ts';
import {
  blindStatus,
  type ClusterStatus,
  computeStatus,
  type StatusInput,
  sameStatus,
  type Trouble,
} from '../status/compute.ts';
import type { Reconciler } from './context.ts';

/** Writes the status, if anything but times differs, and an Event for each condition that turned bad or good again. */
export async function report(
  cluster: LiveObject,
  input: StatusInput,
  { client, record, now, watched }: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = 'default' } = cluster.metadata;
  // Another run of ours may have written since this one began.
  const latest = watched.cluster(`${namespace}/${name}`) ?? cluster;
  const before = latest.status as Partial<ClusterStatus> | undefined;
  const status = computeStatus(input, before, timeText(now()));
  if (sameStatus(before, status)) return;
  await client.merge({ kind: 'postgresql', namespace, name }, { status }, signal, 'status');
  for (const condition of status.conditions) {
    const { type, status: value, reason, message } = condition;
    const old = before?.conditions?.find(item => item.type === type);
    if (old?.status === value) continue;
    const bad = BAD_WHEN[type];
    if (bad === undefined || (old === undefined && value !== bad)) continue;
    await record(cluster, { type: value === bad ? 'Warning' : 'Normal', reason, message }, signal);
  }
}

/** Writes that nothing can be seen of the cluster, if that is new. */
export async function reportBlind(
  cluster: LiveObject,
  trouble: Trouble,
  { client, now }: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = 'default' } = cluster.metadata;
  const before = cluster.status as Partial<ClusterStatus> | undefined;
  const status = blindStatus(trouble, before, timeText(now()));
  if (sameStatus(before, status)) return;
  await client.merge({ kind: 'postgresql', namespace, name }, { status }, signal, 'status');
}

function timeText(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Which value of a condition is worth a warning. */
const BAD_WHEN: Partial<Record<string, 'True' | 'False'>> = {
  Available: 'False',
  Degraded: 'True',
};
