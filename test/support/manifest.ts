import { stringify } from 'yaml';

export interface ManifestOptions {
  name: string;
  namespace?: string;
  instances?: number;
  /** Merged over the spec; undefined deletes a key. */
  spec?: Record<string, unknown>;
  parameters?: Record<string, string>;
}

/** A small manifest for tests: no poolers unless the spec asks for them, so that it starts fast. */
export function manifest({ name, namespace, instances = 1, spec = {}, parameters }: ManifestOptions): string {
  return stringify({
    apiVersion: 'acid.zalan.do/v1',
    kind: 'postgresql',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: {
      teamId: 'acid',
      numberOfInstances: instances,
      // What Debian has; the newest is taken where it has another.
      postgresql: { version: '15', ...(parameters !== undefined && { parameters }) },
      volume: { size: '1Gi' },
      users: { bauer: [] },
      databases: { firmendaten: 'bauer' },
      resources: {
        requests: { cpu: '100m', memory: '100Mi' },
        limits: { cpu: '500m', memory: '200Mi' },
      },
      ...spec,
    },
  });
}
