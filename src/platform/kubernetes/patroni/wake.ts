import { ApiConflictError } from '../api/errors.ts';
import type { DcsContext } from './write.ts';

const TRIES = 3;

/**
 * Makes the loops of all members run now. Patroni wakes when the text of its configuration changes
 * (dcs/kubernetes.py, _process_event), and reads the same configuration from it with a blank at its end as without.
 */
export async function wakePatroni({ client, namespace, cluster, signal }: DcsContext): Promise<void> {
  const ref = { kind: 'ConfigMap', namespace, name: `${cluster}-config` } as const;
  for (let left = TRIES; left > 0; left -= 1) {
    const live = await client.get(ref, signal);
    const config = live?.metadata.annotations?.config;
    if (live === undefined || config === undefined) return;
    const { resourceVersion } = live.metadata;
    const other = config.endsWith(' ') ? config.trimEnd() : `${config} `;
    try {
      await client.merge(ref, { metadata: { resourceVersion, annotations: { config: other } } }, signal);
      return;
    } catch (error) {
      if (!(error instanceof ApiConflictError)) throw error;
    }
  }
}
