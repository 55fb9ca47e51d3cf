import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { Settled } from '../children/apply.ts';
import type { OperatorConfig } from '../config.ts';
import type { EventFacts } from '../events/recorder.ts';
import type { LeaseSighting } from '../lease/judge.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Watched } from '../operator/watched.ts';
import type { Trouble } from '../status/compute.ts';

/** Set to any new value by a person who wants every pod to be made anew, one after the other. */
export const RESTART_ANNOTATION = 'pgherd.dev/restarted-at';

/** What every run of the reconciler works with. */
export interface Reconciler {
  client: KubeClient;
  watched: Watched;
  config: OperatorConfig;
  /** namespace/name of our Lease. */
  operatorId: string;
  /** Leases of other operators, as we saw them last. */
  sightings: Map<string, LeaseSighting>;
  openssl: string;
  metrics: Metrics;
  record(cluster: LiveObject, facts: EventFacts, signal: AbortSignal): Promise<void>;
  now(): Date;
  /** What was found out earlier and spares work; all of it can be lost at any time. */
  memory: Map<string, Memory>;
}

/** Of one cluster. */
export interface Memory {
  settled: Settled;
  /** What the objects depended on when all were last as wanted, and when that was (performance.now()). */
  objects:
    | { fingerprint: string; at: number; templateHash: string; trouble: Trouble | undefined }
    | undefined;
  /** The same of roles, passwords and databases. */
  databases: { fingerprint: string; at: number } | undefined;
  /** Times in a row that they could not be looked at. */
  databaseFailures: number;
  /** Whom we last asked to take over: its taking over was planned. */
  movingTo: string | undefined;
  /** The manifest of this generation, read. */
  parsed: { version: string; spec: ClusterSpec } | undefined;
}

export function memoryOf(reconciler: Reconciler, key: string): Memory {
  let memory = reconciler.memory.get(key);
  if (memory === undefined) {
    memory = {
      settled: new Map(),
      objects: undefined,
      databases: undefined,
      databaseFailures: 0,
      movingTo: undefined,
      parsed: undefined,
    };
    reconciler.memory.set(key, memory);
  }
  return memory;
}
