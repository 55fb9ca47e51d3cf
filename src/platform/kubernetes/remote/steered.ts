import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { RemoteCluster } from './cluster.ts';

/** A cluster in the operator's hands: what people's programs need of one (a manifest as text, copies of files) is left out. */
export class SteeredCluster extends RemoteCluster {
  /** @param pods of the cluster and its poolers, where somebody watches them. */
  constructor(client: KubeClient, object: LiveObject, spec: ClusterSpec, pods?: () => Promise<LiveObject[]>) {
    super({ client, object, spec, manifest: '', services: [], stateDir: '', pods });
  }
}
