import { stringify } from 'yaml';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { DynamicConfig } from '../../core/topology/observation.ts';

export const PATRONI_PORT = 8008;

/**
 * What pgherd asks of Patroni where the manifest says nothing. Patroni 4 accepts no ttl below 20; a short
 * loop_wait makes a dead server known in about a second; primary_start_timeout 0 fails over instead of
 * restarting in place (figures: reference/failover.md).
 */
export const TIMING = { ttl: 20, loopWait: 1, retryTimeout: 3 };

export interface DynamicInput {
  spec: ClusterSpec;
  parameters: Record<string, string>;
  /** User of the operating system that the servers run as: it may log in over the Unix socket. */
  systemUsers: string[];
  /** Where members and poolers come from. */
  memberNetworks: string[];
}

/** Patroni's dynamic configuration: all of it, so that a key that is not wanted any more can be found. */
export function dynamicConfig(input: DynamicInput): DynamicConfig {
  const { patroni } = input.spec;
  return {
    ttl: patroni.ttl ?? TIMING.ttl,
    loop_wait: patroni.loopWait ?? TIMING.loopWait,
    retry_timeout: patroni.retryTimeout ?? TIMING.retryTimeout,
    maximum_lag_on_failover: patroni.maximumLagOnFailover,
    primary_start_timeout: 0,
    member_slots_ttl: '30min',
    synchronous_mode: patroni.synchronousMode !== 'async',
    synchronous_mode_strict: patroni.synchronousMode === 'strict',
    synchronous_node_count: patroni.synchronousNodeCount,
    failsafe_mode: patroni.failsafeMode ?? false,
    slots: patroni.slots,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: input.parameters,
      pg_hba: clientRules(input),
      pg_ident: input.systemUsers.flatMap(user => [`pgherd ${user} postgres`, `pgherd ${user} standby`]),
    },
  };
}

/** pg_hba: our own lines first, then the manifest's, or else one line for each allowed range. */
function clientRules({ spec, memberNetworks }: DynamicInput): string[] {
  const own = [
    'local all postgres peer map=pgherd',
    'local replication standby peer map=pgherd',
    ...memberNetworks.flatMap(network => [
      `hostssl replication standby ${network} scram-sha-256`,
      `hostssl all postgres,standby,${spec.pooler.user} ${network} scram-sha-256`,
    ]),
  ];
  const clients = spec.patroni.pgHba ?? [
    ...memberNetworks.map(network => `hostssl all all ${network} scram-sha-256`),
    ...spec.allowedSourceRanges.map(range => `hostssl all all ${range} scram-sha-256`),
    'hostnossl all all all reject',
  ];
  return [...own, ...clients];
}

export interface PatroniInput {
  scope: string;
  /** Prefix of the cluster's keys in the DCS. */
  namespace: string;
  member: { name: string; address: string; port: number };
  etcd: { hosts: string[]; port: number };
  dynamic: DynamicConfig;
  initdb: Record<string, string>;
  paths: { data: string; binDir: string; socketDir: string; pgpass: string; callback: string };
  tls: { ca: string; cert: string; key: string };
  passwords: { superuser: string; replication: string };
}

/** patroni.yml of one member. Holds passwords: 0600. */
export function renderPatroni(input: PatroniInput): string {
  const { tls, member, paths } = input;
  const authentication = (username: string, password: string) => ({
    username,
    password,
    sslmode: 'verify-ca',
    sslrootcert: tls.ca,
  });
  return stringify({
    scope: input.scope,
    namespace: input.namespace,
    name: member.name,
    log: { level: 'INFO', format: 'patroni: %(levelname)s: %(message)s' },
    restapi: {
      listen: `${member.address}:${PATRONI_PORT}`,
      connect_address: `${member.address}:${PATRONI_PORT}`,
      certfile: tls.cert,
      keyfile: tls.key,
      cafile: tls.ca,
      verify_client: 'required',
    },
    ctl: { cacert: tls.ca, certfile: tls.cert, keyfile: tls.key },
    etcd3: {
      // Own voter first; asking etcd for its members' names (use_proxies off) would add a round trip per change.
      hosts: input.etcd.hosts.map(host => `${host}:${input.etcd.port}`),
      use_proxies: true,
      protocol: 'https',
      cacert: tls.ca,
      cert: tls.cert,
      key: tls.key,
    },
    bootstrap: { dcs: input.dynamic, initdb: initdbOptions(input.initdb) },
    postgresql: {
      listen: `${member.address}:${member.port}`,
      connect_address: `${member.address}:${member.port}`,
      use_unix_socket: true,
      use_unix_socket_repl: true,
      data_dir: paths.data,
      bin_dir: paths.binDir,
      pgpass: paths.pgpass,
      callbacks: { on_role_change: paths.callback, on_start: paths.callback },
      authentication: {
        superuser: authentication('postgres', input.passwords.superuser),
        replication: authentication('standby', input.passwords.replication),
      },
      basebackup: [{ checkpoint: 'fast' }],
      parameters: {
        unix_socket_directories: paths.socketDir,
        unix_socket_permissions: '0700',
        ssl: 'on',
        ssl_cert_file: tls.cert,
        ssl_key_file: tls.key,
        ssl_ca_file: tls.ca,
        ssl_min_protocol_version: 'TLSv1.2',
      },
    },
    watchdog: { mode: 'off' },
    tags: {},
  });
}

/** initdb's options in Patroni's list form: the manifest's over ours; "true" marks a flag, "false" leaves it out. */
function initdbOptions(options: Record<string, string>): (string | Record<string, string>)[] {
  const merged: Record<string, string> = {
    encoding: 'UTF8',
    locale: 'C.UTF-8',
    'data-checksums': 'true',
    'auth-host': 'scram-sha-256',
    'auth-local': 'peer',
    ...options,
  };
  return Object.entries(merged)
    .filter(([, value]) => value !== 'false')
    .map(([key, value]) => (value === 'true' ? key : { [key]: value }));
}
