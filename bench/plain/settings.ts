/**
 * The two baselines: Patroni, etcd, HAProxy and PgBouncer as people set them up without pgherd. Nothing of pgherd's
 * is in their configuration or in their path.
 */

export interface BaselineSettings {
  name: 'plain' | 'fast';
  title: string;
  /** For whoever reads the results. */
  about: string;
  patroni: Record<string, string | number | boolean>;
  etcdFlags: string[];
  /** Each Patroni asks the voter of its own host instead of any that etcd names. */
  ownVoter: boolean;
  /** PostgreSQL's parameters where they are not its defaults. */
  parameters: Record<string, string | number>;
  proxy: { retries: number; redispatch: boolean; connect: string; check: string; server: string };
  /** The primary's check reads the body as well: 200 comes with the lock, before the promotion. */
  checkBody: boolean;
  pooler: Record<string, string | number>;
}

const PLAIN: BaselineSettings = {
  name: 'plain',
  title: 'Patroni, defaults',
  about:
    "Patroni's defaults (ttl 30, loop_wait 10, retry_timeout 10, asynchronous) with use_pg_rewind as in its sample configuration; etcd's defaults; HAProxy as in Patroni's example (inter 3s fall 3 rise 2 on-marked-down shutdown-sessions, maxconn raised for the load); PgBouncer's defaults in transaction mode, to HAProxy",
  patroni: { ttl: 30, loop_wait: 10, retry_timeout: 10, maximum_lag_on_failover: 1_048_576 },
  etcdFlags: [],
  ownVoter: false,
  parameters: {},
  proxy: { retries: 2, redispatch: false, connect: '4s', check: '5s', server: 'inter 3s fall 3 rise 2' },
  checkBody: false,
  pooler: {},
};

const FAST: BaselineSettings = {
  name: 'fast',
  title: 'Patroni, fastest settings',
  about:
    'the fastest settings that Patroni accepts (ttl 20, loop_wait 1, retry_timeout 3, primary_start_timeout 0), synchronous_mode on; etcd with a heartbeat of 50 ms, election after 500 ms, pre-vote, each Patroni at its own voter; WAL sender and receiver time out after 5 s; HAProxy checks every 100 ms (fall 2, rise 1, role in the body), connects within 300 ms; PgBouncer in transaction mode to HAProxy, login retry 0.2 s, tcp_user_timeout 3 s',
  patroni: {
    ttl: 20,
    loop_wait: 1,
    retry_timeout: 3,
    primary_start_timeout: 0,
    maximum_lag_on_failover: 1_048_576,
    synchronous_mode: true,
  },
  etcdFlags: ['--heartbeat-interval', '50', '--election-timeout', '500', '--pre-vote=true'],
  ownVoter: true,
  parameters: { wal_keep_size: '128MB', wal_sender_timeout: '5s', wal_receiver_timeout: '5s' },
  proxy: {
    retries: 3,
    redispatch: true,
    connect: '300ms',
    check: '300ms',
    server: 'inter 100ms fastinter 100ms downinter 100ms fall 2 rise 1',
  },
  checkBody: true,
  pooler: {
    server_login_retry: 0.2,
    server_connect_timeout: 30,
    query_wait_timeout: 120,
    tcp_user_timeout: 3000,
  },
};

export const BASELINES = { plain: PLAIN, fast: FAST };
