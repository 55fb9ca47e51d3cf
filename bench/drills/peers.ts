/** What others say of theirs: figures by their makers or users, not measured by us, on machines of their own. */

export interface Peer {
  system: string;
  /** What happens, and how long writes stand still. */
  figure: string;
  /** published: by the maker; user: by somebody else; derived: follows from documented defaults. */
  kind: 'published' | 'user' | 'derived';
  source: string;
}

const AWS = 'docs.aws.amazon.com/AmazonRDS/latest/UserGuide';

export const PEERS: readonly Peer[] = [
  {
    system: 'Amazon RDS Multi-AZ instance',
    figure: 'failover typically 60 to 120 s',
    kind: 'published',
    source: `${AWS}/Concepts.MultiAZ.Failover.html`,
  },
  {
    system: 'Amazon RDS Multi-AZ cluster (two readable standbys)',
    figure: 'failover typically below 35 s',
    kind: 'published',
    source: `${AWS}/multi-az-db-clusters-concepts-failover.html`,
  },
  {
    system: 'the same with RDS Proxy',
    figure: 'planned minor upgrade typically at most 1 s',
    kind: 'published',
    source:
      'aws.amazon.com/blogs/database, "Perform minor version upgrades with a downtime of 1 second or less"',
  },
  {
    system: 'Amazon Aurora',
    figure: 'typically within 30 s; a user measured 10 to 16 s with PostgreSQL',
    kind: 'user',
    source: 'aws.amazon.com/rds/aurora/faqs, zatoima.github.io/en/aws-aurora-failover-time-test',
  },
  {
    system: 'Google Cloud SQL for PostgreSQL, HA',
    figure: 'failover begins after about 60 s without an answer',
    kind: 'published',
    source: 'cloud.google.com/sql/docs/postgres/high-availability',
  },
  {
    system: 'Google AlloyDB',
    figure: 'noticed within 30 s, then about 30 s to start; maintenance below 1 s',
    kind: 'published',
    source: 'docs.cloud.google.com/alloydb/docs/high-availability and /maintenance',
  },
  {
    system: 'Google AlloyDB Omni',
    figure: 'failover after 90 s by default',
    kind: 'published',
    source: 'docs.cloud.google.com/alloydb/omni, "Manage high availability"',
  },
  {
    system: 'Azure Database for PostgreSQL, flexible server, zone-redundant',
    figure: '60 to 120 s, can be more',
    kind: 'published',
    source: 'learn.microsoft.com/azure/reliability/reliability-postgresql-flexible-server',
  },
  {
    system: 'Patroni (also Zalando, Crunchy, Percona, StackGres), host lost',
    figure: 'about 20 to 30 s and the promotion, with its defaults; users saw 20 s',
    kind: 'derived',
    source: "Patroni's docs, dynamic_configuration; github.com/patroni/patroni issue 759",
  },
  {
    system: 'Pigsty (presets for Patroni)',
    figure: 'switchover about 2 s; failover below 30 s (fast) or 45 s (norm)',
    kind: 'published',
    source: "Pigsty's README and roles/pgsql/README.md",
  },
  {
    system: 'CloudNativePG, host lost',
    figure: '60 to 78 s with its defaults; users measured 40 to 80 s',
    kind: 'derived',
    source: "CloudNativePG's documented defaults and issues",
  },
  {
    system: 'pg_auto_failover',
    figure: 'unhealthy after 20 s, two retries of 2 s, then the promotion',
    kind: 'derived',
    source: "pg_auto_failover's docs, ref/configuration",
  },
  {
    system: 'Stolon',
    figure: 'about 25 to 35 s',
    kind: 'derived',
    source: 'github.com/sorintlab/stolon, doc/cluster_spec.md',
  },
  {
    system: 'repmgr',
    figure: '60 s of tries to reconnect before the failover begins',
    kind: 'derived',
    source: 'repmgr.org/docs/current/repmgrd-basic-configuration.html',
  },
];
