import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { ApplyContext, PlatformCluster } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { Settled } from '../children/apply.ts';
import type { OperatorConfig } from '../config.ts';
import type { EventFacts } from '../events/recorder.ts';
import type { LeaseSighting } from '../lease/judge.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Watched } from '../operator/watched.ts';
import type { Sentinels } from '../sentinel/sentinels.ts';
import type { Trouble } from '../status/compute.ts';
import type { LoadBalancers } from './loadBalancers.ts';

/** Set to any new value by a person who wants every pod to be made anew, one after the other. */
export const RESTART_ANNOTATION = 'pgherd.dev/restarted-at';

/**
 * What is done to a primary with its clients held back, and who watches it: control's, which is above this room and
 * handed down by the composition root.
 */
export interface Choreography {
  move(
    cluster: PlatformCluster,
    options: { from: string; to: string | undefined },
    context: ApplyContext,
  ): Promise<string>;
  restart(cluster: PlatformCluster, member: string, context: ApplyContext): Promise<void>;
  /** The sentinel: until the signal aborts. */
  watch(cluster: PlatformCluster, signal: AbortSignal, report: (line: string) => void): Promise<void>;
}

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
  loadBalancers: LoadBalancers;
  metrics: Metrics;
  choreography: Choreography;
  sentinels: Pick<Sentinels, 'keep' | 'drop'>;
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
    | { fingerprint: string; at: number; templateHash: string; held: boolean; trouble: Trouble | undefined }
    | undefined;
  /** The same of roles, passwords and databases. */
  databases: { fingerprint: string; at: number } | undefined;
  /** When Patroni's configuration was changed last (performance.now()). */
  configuredAt: number;
  /** Times in a row that they could not be looked at. */
  databaseFailures: number;
  /** When pods are asked again whether they have new certificates, and what Secrets of people last said. */
  certificates: { notBefore: number; foreign: string; foreignAt: number };
  /** What was said to wait for a maintenance window. */
  postponed: string | undefined;
  /** Whom we last asked to take over: its taking over was planned. */
  movingTo: string | undefined;
  /** What we are doing to the primary right now. */
  operation: string | undefined;
  /** The manifest of this generation, read. */
  parsed: { version: string; spec: ClusterSpec } | undefined;
}

/** What a part of one look at a cluster works with. */
export interface Tools {
  reconciler: Reconciler;
  memory: Memory;
  signal: AbortSignal;
}

export function memoryOf(reconciler: Reconciler, key: string): Memory {
  let memory = reconciler.memory.get(key);
  if (memory === undefined) {
    memory = {
      settled: new Map(),
      objects: undefined,
      databases: undefined,
      configuredAt: Number.NEGATIVE_INFINITY,
      databaseFailures: 0,
      certificates: { notBefore: 0, foreign: '', foreignAt: Number.NEGATIVE_INFINITY },
      postponed: undefined,
      movingTo: undefined,
      operation: undefined,
      parsed: undefined,
    };
    reconciler.memory.set(key, memory);
  }
  return memory;
}
