/** patroni.yml of one member, with etcd or with the Kubernetes API as DCS. */
import { stringify } from 'yaml';
import type { DynamicConfig } from '../../core/topology/observation.ts';
import { PATRONI_PORT } from './config.ts';

/** What both kinds have in common. */
interface MemberInput {
  scope: string;
  dynamic: DynamicConfig;
  initdb: Record<string, string>;
  paths: { data: string; binDir: string; socketDir: string; pgpass: string };
}

export interface PatroniInput extends MemberInput {
  /** Prefix of the cluster's keys in the DCS. */
  namespace: string;
  member: { name: string; address: string; port: number };
  etcd: { hosts: string[]; port: number };
  /** Script that Patroni calls when the role of the member changes. */
  callback: string;
  /** Script that Patroni waits for before it ends PostgreSQL in any way. */
  beforeStop: string;
  tls: TlsFiles;
  passwords: { superuser: string; replication: string };
}

export interface PatroniPodInput extends MemberInput {
  /** How the first member comes out of a backup, and recovers; undefined: by initdb. */
  clone: { command: string; recovery: Record<string, string> } | undefined;
  labels: { own: Record<string, string>; scope: string; role: string; primary: string; standby: string };
  /** Of the cluster's own authority: Patroni's interface, and what it presents to the other members. */
  tls: TlsFiles;
  /** What PostgreSQL presents to clients; `ca` undefined: nobody can verify it. */
  serverTls: Omit<TlsFiles, 'ca'> & { ca: string | undefined };
}

export interface TlsFiles {
  ca: string;
  cert: string;
  key: string;
}

/** With etcd. Holds passwords: 0600. */
export function renderPatroni(input: PatroniInput): string {
  const { tls, member, paths } = input;
  const authentication = (username: string, password: string) => ({
    username,
    password,
    ...verifying(tls.ca),
  });
  const address = `${member.address}:${member.port}`;
  const api = `${member.address}:${PATRONI_PORT}`;
  return stringify({
    scope: input.scope,
    namespace: input.namespace,
    name: member.name,
    log: LOG,
    restapi: { listen: api, connect_address: api, ...serving(tls), verify_client: 'required' },
    ctl: presenting(tls),
    etcd3: {
      // Own voter first; asking etcd for its members' names (use_proxies off) would add a round trip per change.
      hosts: input.etcd.hosts.map(host => `${host}:${input.etcd.port}`),
      use_proxies: true,
      protocol: 'https',
      cacert: tls.ca,
      cert: tls.cert,
      key: tls.key,
    },
    bootstrap: bootstrap(input),
    postgresql: {
      listen: address,
      connect_address: address,
      ...postgresql(paths),
      callbacks: { on_role_change: input.callback, on_start: input.callback },
      before_stop: input.beforeStop,
      authentication: {
        superuser: authentication('postgres', input.passwords.superuser),
        replication: authentication('standby', input.passwords.replication),
      },
      basebackup: [{ checkpoint: 'fast' }],
      parameters: parameters(paths.socketDir, tls),
    },
    watchdog: { mode: 'off' },
    tags: {},
  });
}

/**
 * With the Kubernetes API; the same file for all pods of a cluster. Names, addresses and passwords come from the
 * environment: PATRONI_NAME, PATRONI_KUBERNETES_NAMESPACE, PATRONI_KUBERNETES_POD_IP,
 * PATRONI_{POSTGRESQL,RESTAPI}_CONNECT_ADDRESS, PATRONI_{SUPERUSER,REPLICATION}_{USERNAME,PASSWORD}.
 */
export function renderPatroniPod(input: PatroniPodInput): string {
  const { tls, serverTls, paths, labels } = input;
  const authentication = serverTls.ca === undefined ? { sslmode: 'require' } : verifying(serverTls.ca);
  return stringify({
    scope: input.scope,
    log: LOG,
    // The kubelet's probes have no certificate: only calls that change something ask for one.
    restapi: { listen: `*:${PATRONI_PORT}`, ...serving(tls), verify_client: 'optional' },
    // Addresses of pods are in no certificate. Beside a client certificate, `insecure` means just that the name is
    // not compared: the authority still is (patroni/request.py).
    ctl: { ...presenting(tls), insecure: true },
    kubernetes: {
      use_endpoints: false,
      labels: labels.own,
      scope_label: labels.scope,
      role_label: labels.role,
      leader_label_value: labels.primary,
      standby_leader_label_value: labels.primary,
      follower_label_value: labels.standby,
    },
    bootstrap: { ...bootstrap(input), ...cloning(input.clone) },
    postgresql: {
      listen: '*:5432',
      ...postgresql(paths),
      authentication: { superuser: { ...authentication }, replication: { ...authentication } },
      basebackup: [{ checkpoint: 'fast' }],
      parameters: parameters(paths.socketDir, serverTls),
    },
    watchdog: { mode: 'off' },
    tags: {},
  });
}

const LOG = { level: 'INFO', format: 'patroni: %(levelname)s: %(message)s' };

function verifying(ca: string) {
  return { sslmode: 'verify-ca', sslrootcert: ca };
}

function serving({ ca, cert, key }: TlsFiles) {
  return { certfile: cert, keyfile: key, cafile: ca };
}

function presenting({ ca, cert, key }: TlsFiles) {
  return { cacert: ca, certfile: cert, keyfile: key };
}

function bootstrap({ dynamic, initdb }: MemberInput) {
  return { dcs: dynamic, initdb: initdbOptions(initdb) };
}

function cloning(clone: PatroniPodInput['clone']) {
  if (clone === undefined) return {};
  const { command, recovery } = clone;
  return {
    method: 'pgbackrest',
    pgbackrest: { command, no_params: true, keep_existing_recovery_conf: false, recovery_conf: recovery },
  };
}

function postgresql(paths: MemberInput['paths']) {
  return {
    use_unix_socket: true,
    use_unix_socket_repl: true,
    data_dir: paths.data,
    bin_dir: paths.binDir,
    pgpass: paths.pgpass,
  };
}

function parameters(socketDir: string, tls: { ca: string | undefined; cert: string; key: string }) {
  return {
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    ssl: 'on',
    ssl_cert_file: tls.cert,
    ssl_key_file: tls.key,
    ...(tls.ca === undefined ? {} : { ssl_ca_file: tls.ca }),
    ssl_min_protocol_version: 'TLSv1.2',
  };
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
