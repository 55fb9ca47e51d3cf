import { parseManifest } from '../../../core/manifest/parse.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { RefusedError } from '../../../lib/errors.ts';
import type { ClusterRef, Platform } from '../../contract.ts';
import { KubeClient } from '../api/client.ts';
import { Connection } from '../api/connection.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { AccessOptions } from '../api/kubeconfig.ts';
import { CLUSTER_LABEL } from '../objects/labels.ts';
import { RemoteCluster } from './cluster.ts';

export interface RemoteOptions extends AccessOptions {
  /** undefined: all namespaces. */
  namespace: string | undefined;
  /** What people's programs need of clusters is kept below it. */
  stateDir: string;
}

/** No cluster of this name and namespace. */
export class ClusterNotFoundError extends RefusedError {}

/** Clusters on Kubernetes as the platform of a person's commands. */
export async function createKubernetesPlatform(options: RemoteOptions): Promise<Platform> {
  const client = new KubeClient(await Connection.open(options));
  return {
    async list(signal) {
      const { items } = await client.list('postgresql', { namespace: options.namespace }, signal);
      return items
        .map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace ?? 'default' }))
        .sort((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`));
    },
    async open({ name, namespace }, signal) {
      const labelSelector = `${CLUSTER_LABEL}=${name}`;
      const [object, services] = await Promise.all([
        client.get({ kind: 'postgresql', namespace, name }, signal),
        client.list('Service', { namespace, labelSelector }, signal),
      ]);
      if (object === undefined) {
        throw new ClusterNotFoundError({
          code: 'no-such-cluster',
          message: `there is no cluster named ${name} in namespace ${namespace}`,
        });
      }
      const { stateDir } = options;
      const manifest = manifestOf(object);
      const spec = specOf(manifest, { name, namespace });
      return new RemoteCluster({ client, object, manifest, services: services.items, spec, stateDir });
    },
    async adopt() {
      throw new RefusedError({
        code: 'not-on-kubernetes',
        message: 'clusters on Kubernetes are made by the operator',
        hint: 'kubectl apply -f FILE',
      });
    },
  };
}

/** The manifest without what the server adds to it. */
function manifestOf({ apiVersion, kind, metadata, spec }: LiveObject): string {
  const { name, namespace, labels, annotations } = metadata;
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec });
}

function specOf(manifest: string, { name, namespace }: ClusterRef): ClusterSpec {
  const parsed = parseManifest(manifest, { platform: 'kubernetes' });
  if (parsed.ok) return parsed.spec;
  const [first] = parsed.errors;
  throw new RefusedError({
    code: 'manifest-invalid',
    message: `the manifest of ${namespace}/${name} is not valid: ${first?.message ?? ''}`,
    detail: parsed.errors.map(({ path, message }) => `${path}: ${message}`).join('\n'),
    hint: 'correct it with kubectl edit',
  });
}
