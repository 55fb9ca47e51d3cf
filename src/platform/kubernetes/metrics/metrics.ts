import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the operator counts and measures. Names and units follow Prometheus' conventions. */
export interface Metrics {
  registry: Registry;
  reconciles: Counter<'result'>;
  reconcileSeconds: Histogram;
  steps: Counter<'kind'>;
  leaderChanges: Counter<'namespace' | 'cluster' | 'planned'>;
  leaderlessSeconds: Histogram<'planned'>;
  apiTroubles: Counter<'kind'>;
}

export interface MemberFigure {
  namespace: string;
  cluster: string;
  member: string;
  role: string;
  well: boolean;
  lagBytes: number | undefined;
}

export interface RepositoryFigure {
  namespace: string;
  cluster: string;
  repository: string;
  /** Seconds since the newest backup was complete; undefined: there is none. */
  backupAge: number | undefined;
  /** Seconds since a restore last proved a backup; undefined: none has. */
  proofAge: number | undefined;
}

/** Asked for at each scrape. */
export interface MetricsSource {
  leading(): boolean;
  queueLength(): number;
  backlog(): number;
  clusters(): { namespace: string; cluster: string; status: string }[];
  members(): MemberFigure[];
  repositories(): RepositoryFigure[];
  /** Value of the condition BackupHealthy. */
  backupHealth(): { namespace: string; cluster: string; status: string }[];
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120];

export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const measured = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    fill: (gauge: Gauge<L>) => void,
  ): void => {
    const gauge: Gauge<L> = new Gauge<L>({
      name,
      help,
      labelNames,
      registers,
      collect() {
        gauge.reset();
        fill(gauge);
      },
    });
  };
  measured('pgherd_leading', '1 while this replica of the operator acts', [], gauge =>
    gauge.set(source.leading() ? 1 : 0),
  );
  measured('pgherd_queue_length', 'Clusters that wait or are worked on', [], gauge =>
    gauge.set(source.queueLength()),
  );
  measured('pgherd_queue_backlog', 'Clusters that should be worked on by now', [], gauge =>
    gauge.set(source.backlog()),
  );
  measured(
    'pgherd_cluster_status',
    '1 for the status that a cluster has',
    ['namespace', 'cluster', 'status'],
    gauge => {
      for (const item of source.clusters()) gauge.set(item, 1);
    },
  );
  measured(
    'pgherd_member_up',
    '1 while a member serves',
    ['namespace', 'cluster', 'member', 'role'],
    gauge => {
      for (const { namespace, cluster, member, role, well } of source.members())
        gauge.set({ namespace, cluster, member, role }, well ? 1 : 0);
    },
  );
  measured(
    'pgherd_member_lag_bytes',
    'WAL that a standby has not replayed yet, as Patroni last said',
    ['namespace', 'cluster', 'member'],
    gauge => {
      for (const { namespace, cluster, member, lagBytes } of source.members())
        if (lagBytes !== undefined) gauge.set({ namespace, cluster, member }, lagBytes);
    },
  );
  const ages = (name: string, help: string, age: 'backupAge' | 'proofAge') =>
    measured(name, help, ['namespace', 'cluster', 'repository'], gauge => {
      for (const { namespace, cluster, repository, [age]: seconds } of source.repositories())
        if (seconds !== undefined) gauge.set({ namespace, cluster, repository }, seconds);
    });
  ages('pgherd_backup_age_seconds', 'Since the newest backup of a repository was complete', 'backupAge');
  ages('pgherd_backup_proof_age_seconds', 'Since a restore last proved a backup', 'proofAge');
  measured(
    'pgherd_backup_healthy',
    '1 while the condition BackupHealthy is True, 0 while it is False',
    ['namespace', 'cluster'],
    gauge => {
      for (const { status, ...cluster } of source.backupHealth())
        if (status !== 'Unknown') gauge.set(cluster, status === 'True' ? 1 : 0);
    },
  );
  return {
    registry,
    reconciles: new Counter({
      name: 'pgherd_reconciles_total',
      help: 'Runs of the reconciler, by result',
      labelNames: ['result'],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: 'pgherd_reconcile_seconds',
      help: 'Duration of a run of the reconciler',
      buckets: SECONDS,
      registers,
    }),
    steps: new Counter({
      name: 'pgherd_steps_total',
      help: 'Steps that touched a running member, by kind',
      labelNames: ['kind'],
      registers,
    }),
    leaderChanges: new Counter({
      name: 'pgherd_leader_changes_total',
      help: 'Changes of the primary: planned are switchovers we asked for',
      labelNames: ['namespace', 'cluster', 'planned'],
      registers,
    }),
    leaderlessSeconds: new Histogram({
      name: 'pgherd_leaderless_seconds',
      help: 'From the last renewal of the old primary that was seen to the first of the new one',
      labelNames: ['planned'],
      buckets: SECONDS,
      registers,
    }),
    apiTroubles: new Counter({
      name: 'pgherd_api_troubles_total',
      help: 'Broken lists and watches, by kind of object',
      labelNames: ['kind'],
      registers,
    }),
  };
}
