/** The sentinels of all clusters: one each, as long as this replica of the operator leads and the cluster wants it. */
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { modeOf } from '../../../core/topology/promise.ts';
import { messageOf } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { certificateSecretNames } from '../children/certificates.ts';
import { decoded } from '../children/secrets.ts';
import type { OperatorConfig } from '../config.ts';
import { credentialsName } from '../objects/names.ts';
import type { Watched } from '../operator/watched.ts';
import type { Choreography } from '../reconcile/context.ts';
import { GuardedCluster } from './guarded.ts';
import { watchPoolers } from './poolerWatch.ts';
import type { PostInput } from './post.ts';

/** Between two tries to begin. */
const AGAIN_MS = 5_000;
/** Up to so many clusters the shells that pause poolers are kept open: each is a connection to the API server. */
const WARM_CLUSTERS = 50;
/** Looks of all clusters together are kept to what one process does with ease. */
const CALM = { leastMs: 150, perClusterMs: 8, mostMs: 2_000 };
/** A login with TLS and SCRAM is some milliseconds of work for both sides: at most 20 a second are done. */
const KNOCK = { leastMs: 1_000, perClusterMs: 50 };

export interface SentinelsInput {
  client: KubeClient;
  config: OperatorConfig;
  watched: Watched;
  watch: Choreography['watch'];
  /** What the operator does to the cluster's primary right now. */
  operation(key: string): string | undefined;
  report(line: string): void;
}

export class Sentinels {
  readonly #input: SentinelsInput;
  readonly #running = new Map<string, { version: string; stop: AbortController }>();
  #term: AbortSignal = AbortSignal.abort();

  constructor(input: SentinelsInput) {
    this.#input = input;
  }

  /** From now on, until the term ends. */
  lead(term: AbortSignal): void {
    this.#term = term;
    term.addEventListener('abort', () => this.#dropAll(), { once: true });
  }

  /** The cluster is to be watched as this manifest says; `version` changes with it. Costs nothing when it is. */
  keep(key: string, version: string, object: LiveObject, spec: ClusterSpec): void {
    const mode = modeOf(spec);
    const wanted = this.#input.config.sentinel.enabled && (mode === 'sync' || mode === 'strict');
    const certificate = this.#certificate(object, spec)?.metadata.resourceVersion;
    if (!wanted || this.#term.aborted || certificate === undefined) {
      this.drop(key);
      return;
    }
    const whole = `${version} ${certificate}`;
    if (this.#running.get(key)?.version === whole) return;
    this.drop(key);
    const stop = new AbortController();
    this.#running.set(key, { version: whole, stop });
    void this.#run(key, object, spec, AbortSignal.any([stop.signal, this.#term]));
  }

  drop(key: string): void {
    this.#running.get(key)?.stop.abort();
    this.#running.delete(key);
  }

  #dropAll(): void {
    for (const key of [...this.#running.keys()]) this.drop(key);
  }

  async #run(key: string, object: LiveObject, spec: ClusterSpec, signal: AbortSignal): Promise<void> {
    const { client, watch, report } = this.#input;
    const say = (line: string) => report(`${key}: sentinel: ${line}`);
    while (!signal.aborted) {
      const failed = new AbortController();
      const until = AbortSignal.any([signal, failed.signal]);
      try {
        const post = this.#post(key, object, spec);
        using cluster = new GuardedCluster(client, object, spec, post);
        await Promise.all([watch(cluster, until, say), watchPoolers(post, cluster.journal, until, say)]);
      } catch (error) {
        if (!signal.aborted) say(messageOf(error));
      } finally {
        failed.abort();
      }
      await sleep(AGAIN_MS, signal).catch(() => {});
    }
  }

  #certificate({ metadata }: LiveObject, { name }: ClusterSpec): LiveObject | undefined {
    const secret = certificateSecretNames(name).servers;
    return this.#input.watched.find('Secret', metadata.namespace ?? 'default', secret);
  }

  #post(key: string, object: LiveObject, spec: ClusterSpec): PostInput {
    const { client, config, watched, operation } = this.#input;
    const { namespace = 'default' } = object.metadata;
    const certificate = this.#certificate(object, spec);
    const part = (name: string) => decoded(certificate, name) ?? '';
    const superuser = credentialsName(config.secretNameTemplate, spec.name, 'postgres');
    return {
      client,
      namespace,
      spec,
      identity: { ca: part('ca.crt'), cert: part('tls.crt'), key: part('tls.key') },
      password: () => decoded(watched.find('Secret', namespace, superuser), 'password') ?? '',
      watched: () => ({
        pods: watched.children('Pod', key),
        configMaps: watched.children('ConfigMap', key),
        renewedAt: watched.renewedAt(key),
      }),
      operation: () => operation(key),
      warm: () => this.#running.size <= WARM_CLUSTERS,
      calmMs: () => Math.min(CALM.mostMs, Math.max(CALM.leastMs, this.#running.size * CALM.perClusterMs)),
      knockMs: () => Math.max(KNOCK.leastMs, this.#running.size * KNOCK.perClusterMs),
    };
  }
}
