import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { ClusterRef } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { PatroniView } from '../patroni/view.ts';

/** What backups need of their cluster. */
export interface KubeBackupInput {
  client: KubeClient;
  ref: ClusterRef;
  spec: ClusterSpec;
  /** The manifest's object, which owns what is noted. */
  owner: LiveObject;
  look(signal: AbortSignal): Promise<PatroniView>;
}
