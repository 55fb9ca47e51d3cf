import type { KubeClient } from '../api/client.ts';

/** On the pod of a member whose PostgreSQL somebody restarts: to the sentinel it would look like a death. */
export const RESTARTING_ANNOTATION = 'pgherd.dev/restarting';

/** Announces the restart on the member's pod while `work` lasts. Who may not write there restarts without. */
export async function announced<T>(
  { namespace, pod }: { namespace: string; pod: string },
  { client, signal }: { client: KubeClient; signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const say = async (value: string | null, until: AbortSignal) => {
    const metadata = { annotations: { [RESTARTING_ANNOTATION]: value } };
    await client.merge({ kind: 'Pod', namespace, name: pod }, { metadata }, until).catch(() => {});
  };
  await say(new Date().toISOString(), signal);
  try {
    return await work();
  } finally {
    await say(null, AbortSignal.timeout(5_000));
  }
}
