import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { messageOf } from '../../../lib/errors.ts';
import { KubeClient } from '../api/client.ts';
import { Connection } from '../api/connection.ts';
import { ApiUnreachableError } from '../api/errors.ts';
import { type AccessOptions, isInsidePod } from '../api/kubeconfig.ts';
import type { OperatorConfig } from '../config.ts';
import { Recorder } from '../events/recorder.ts';
import { LEASE_TIMING, SENTINEL_ANNOTATION } from '../lease/judge.ts';
import { campaign } from '../lease/leadership.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { serveMetrics } from '../metrics/server.ts';
import { Workers } from '../queue/workers.ts';
import type { Choreography, Reconciler } from '../reconcile/context.ts';
import { LoadBalancers } from '../reconcile/loadBalancers.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { Sentinels } from '../sentinel/sentinels.ts';
import { ChoreRounds, type DoChores } from './chores.ts';
import { DrillRounds } from './drillRounds.ts';
import { figuresOf } from './figures.ts';
import { Watched } from './watched.ts';

/** Clusters worked on at the same time. */
const CONCURRENCY = 8;
/** How long a step may still take when the operator is told to stop: less than the lease is ours for sure. */
const FINISH_MS = 7000;

export interface OperatorOptions extends AccessOptions {
  config: OperatorConfig;
  /** Where the Lease lies, and whose clusters are run unless the configuration says otherwise. */
  namespace: string | undefined;
  metricsPort: number;
  openssl: string;
  /** Of `src/backup`. */
  chores: DoChores;
  choreography: Choreography;
  signal: AbortSignal;
  /** One line for people: what happens, what fails. */
  report(line: string): void;
}

/**
 * Runs the operator until the signal aborts: takes part in the election, and while it leads brings every cluster to
 * what its manifest asks for. At the end the step under way is finished and the Lease given back.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const { config, signal, report } = options;
  const connection = await Connection.open(options);
  const namespace = options.namespace ?? connection.namespace;
  const lease =
    config.controllerId === undefined ? 'pgherd-operator' : `pgherd-operator-${config.controllerId}`;
  let leading = false;
  let check = () => {};
  const client = new KubeClient(connection, () => check());
  const troubles = new Troubles(report);

  const { watchedNamespaces } = config;
  const namespaces = watchedNamespaces.includes('*')
    ? undefined
    : watchedNamespaces.length > 0
      ? watchedNamespaces
      : [namespace];
  const workers = new Workers({
    concurrency: CONCURRENCY,
    async work(key, inner) {
      const end = metrics.reconcileSeconds.startTimer();
      try {
        const outcome = await reconcile(reconciler, key, inner);
        metrics.reconciles.inc({ result: 'done' });
        return outcome;
      } catch (error) {
        if (inner.aborted) return { kind: 'failed' };
        metrics.reconciles.inc({ result: 'failed' });
        report(`${key}: ${messageOf(error)}`);
        return { kind: 'failed' };
      } finally {
        end();
      }
    },
  });
  const watched = new Watched(client, {
    namespaces,
    onCluster: key => workers.add(key),
    onTrouble(kind, error) {
      metrics.apiTroubles.inc({ kind });
      troubles.tell(kind, error);
    },
  });
  const metrics = createMetrics({
    leading: () => leading,
    queueLength: () => workers.queue.length,
    backlog: () => workers.queue.backlog(performance.now()),
    ...figuresOf(watched),
  });
  watched.onLeader = (key, { from, to, silentMs }) => {
    const [where = '', cluster = ''] = key.split('/');
    const memory = reconciler.memory.get(key);
    const planned = String(memory?.movingTo === to);
    if (memory !== undefined) memory.movingTo = undefined;
    metrics.leaderChanges.inc({ namespace: where, cluster, planned });
    metrics.leaderlessSeconds.observe({ planned }, silentMs / 1000);
    report(`${key}: the primary is ${to}, it was ${from} (${(silentMs / 1000).toFixed(1)} s without)`);
  };
  const recorder = new Recorder(client, report);
  const sentinels = new Sentinels({
    client,
    config,
    watched,
    watch: options.choreography.watch,
    operation: key => reconciler.memory.get(key)?.operation,
    report,
  });
  const reconciler: Reconciler = {
    client,
    watched,
    config,
    operatorId: `${namespace}/${lease}`,
    sightings: new Map(),
    openssl: options.openssl,
    choreography: options.choreography,
    sentinels,
    loadBalancers: new LoadBalancers(client, namespaces),
    metrics,
    record: (cluster, facts, inner) => recorder.record(cluster, facts, inner),
    now: () => new Date(),
    memory: new Map(),
  };
  const rounds = new ChoreRounds(reconciler, options.chores, report);
  const drills = new DrillRounds(reconciler, report);
  await using server = await serveMetrics(options.metricsPort, metrics.registry, {
    alive: () => true,
    ready: () => watched.connected,
  });
  report(
    `speaks to ${connection.server}, watches ${namespaces?.join(', ') ?? 'all namespaces'}; metrics on port ${server.port}`,
  );

  const watching = watched.run(signal);
  await Promise.race([watched.ready(), watching]);
  await campaign(
    // The Lease itself is written before we may write anything else.
    new KubeClient(connection),
    {
      namespace,
      name: lease,
      identity: `${hostname()}_${randomBytes(4).toString('hex')}`,
      timing: LEASE_TIMING,
      // From outside no member can be asked.
      annotations: { [SENTINEL_ANNOTATION]: String(config.sentinel.enabled && isInsidePod(options)) },
      async lead(term, stillLeading) {
        check = stillLeading;
        sentinels.lead(term);
        for (const cluster of watched.clusters()) {
          workers.add(`${cluster.metadata.namespace}/${cluster.metadata.name}`);
        }
        await Promise.all([
          workers.run(term, lastingLonger(term, signal)),
          rounds.run(term),
          drills.run(term),
        ]);
      },
      onTrouble: error => troubles.tell('Lease', error),
      onLeading(now) {
        leading = now;
        report(now ? 'leads: this replica acts' : 'does not lead any more');
      },
    },
    signal,
  );
  await watching;
}

/**
 * For the steps under way: aborts with the term when another replica may act, but some seconds later when this process
 * is told to stop, so that a step is finished. The lease lasts that long.
 */
function lastingLonger(term: AbortSignal, stop: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const end = () => controller.abort(term.reason);
  const onEnd = () => {
    if (stop.aborted) setTimeout(end, FINISH_MS).unref();
    else end();
  };
  if (term.aborted) onEnd();
  else term.addEventListener('abort', onEnd, { once: true });
  return controller.signal;
}

/** Says the same trouble once a minute at most. */
class Troubles {
  readonly #report: (line: string) => void;
  readonly #told = new Map<string, number>();

  constructor(report: (line: string) => void) {
    this.#report = report;
  }

  tell(what: string, error: unknown): void {
    // An API server that is away is away for every watch: said once.
    const away = error instanceof ApiUnreachableError;
    const line = away
      ? 'the API server is away: nothing is done until it is back'
      : `${what}: ${messageOf(error)}`;
    const now = performance.now();
    if (now - (this.#told.get(line) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    this.#told.set(line, now);
    this.#report(line);
  }
}
