import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import type { JsonValue } from '../../../core/manifest/yamlTree.ts';

/** A Kubernetes object as it is sent to the API server: plain data, every field ours. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [section: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: KubernetesPart[];
}

/** The `postgresql` object that everything belongs to. */
export interface Owner {
  name: string;
  namespace: string;
  uid: string;
}

/**
 * `entries` without what is undefined, so that an absent choice is an absent field: server-side apply then leaves it
 * to Kubernetes, and the hash of a template does not depend on how it was put together.
 */
export function defined(entries: Record<string, JsonValue | undefined>): KubernetesPart {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
