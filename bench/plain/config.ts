/** Configuration files of a baseline's servers, as text. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  addressOf,
  dataOf,
  FRONT,
  HOSTS,
  homeOf,
  LOGIN,
  memberOf,
  NETWORK,
  PORTS,
  SCOPE,
  socketOf,
  voterOf,
} from './layout.ts';
import type { BaselineSettings } from './settings.ts';

export interface Ground {
  directory: string;
  binDir: string;
  settings: BaselineSettings;
  passwords: { superuser: string; replication: string; load: string };
  /** One certificate for all servers, its own authority. */
  tls: { cert: string; key: string };
}

export function etcdFlags({ directory, settings }: Ground, host: number): string[] {
  const url = (port: number, of = host) => `http://${addressOf(of)}:${port}`;
  const initial = HOSTS.map(n => `${voterOf(n)}=${url(PORTS.etcdPeer, n)}`).join(',');
  return [
    ['--name', voterOf(host)],
    ['--data-dir', join(homeOf(directory, host), 'etcd')],
    ['--listen-client-urls', url(PORTS.etcdClient)],
    ['--advertise-client-urls', url(PORTS.etcdClient)],
    ['--listen-peer-urls', url(PORTS.etcdPeer)],
    ['--initial-advertise-peer-urls', url(PORTS.etcdPeer)],
    ['--initial-cluster', initial],
    settings.etcdFlags,
  ].flat();
}

export function patroniYml(ground: Ground, host: number): string {
  const { directory, settings, passwords, tls } = ground;
  const home = homeOf(directory, host);
  const at = (port: number, of = host) => `${addressOf(of)}:${port}`;
  const voters = settings.ownVoter ? [host] : HOSTS;
  return stringify({
    scope: SCOPE,
    name: memberOf(host),
    restapi: { listen: at(PORTS.patroni), connect_address: at(PORTS.patroni) },
    etcd3: {
      hosts: voters.map(n => at(PORTS.etcdClient, n)),
      ...(settings.ownVoter && { use_proxies: true }),
    },
    bootstrap: {
      dcs: { ...settings.patroni, postgresql: { use_pg_rewind: true, parameters: settings.parameters } },
      initdb: [{ encoding: 'UTF8' }, 'data-checksums', { locale: 'C.UTF-8' }],
    },
    postgresql: {
      listen: at(PORTS.postgres),
      connect_address: at(PORTS.postgres),
      data_dir: dataOf(directory, host),
      bin_dir: ground.binDir,
      pgpass: join(home, 'pgpass'),
      authentication: {
        superuser: { username: 'postgres', password: passwords.superuser },
        replication: { username: 'standby', password: passwords.replication },
      },
      parameters: {
        unix_socket_directories: socketOf(directory, host),
        ssl: 'on',
        ssl_cert_file: tls.cert,
        ssl_key_file: tls.key,
      },
      pg_hba: [
        'local all all trust',
        `host replication standby ${NETWORK} scram-sha-256`,
        `host all all ${NETWORK} scram-sha-256`,
      ],
    },
  });
}

export function haproxyCfg({ settings: { proxy, checkBody } }: Ground): string {
  const endpoint = (name: 'primary' | 'standby', check: string[]) => [
    `listen ${name}`,
    `  bind ${FRONT}:${PORTS[name]}`,
    ...check.map(line => `  ${line}`),
    `  default-server ${proxy.server} on-marked-down shutdown-sessions`,
    ...HOSTS.map(
      n => `  server ${memberOf(n)} ${addressOf(n)}:${PORTS.postgres} check port ${PORTS.patroni}`,
    ),
  ];
  const ok = 'http-check expect status 200';
  const primary = checkBody
    ? ['option httpchk GET /primary', ok, `http-check expect rstring '"role": "(primary|master)"'`]
    : ['option httpchk OPTIONS /primary', ok];
  const lines = [
    'global',
    '  maxconn 1000',
    'defaults',
    '  mode tcp',
    `  retries ${proxy.retries}`,
    ...(proxy.redispatch ? ['  option redispatch 1'] : []),
    '  timeout client 30m',
    `  timeout connect ${proxy.connect}`,
    '  timeout server 30m',
    `  timeout check ${proxy.check}`,
    ...endpoint('primary', primary),
    ...endpoint('standby', ['option httpchk OPTIONS /replica', ok]),
  ];
  return `${lines.join('\n')}\n`;
}

/** One PgBouncer for each of HAProxy's endpoints. */
export function pgbouncerIni(ground: Ground, endpoint: 'pooler' | 'poolerStandby', home: string): string {
  const { tls, settings } = ground;
  const target = endpoint === 'pooler' ? PORTS.primary : PORTS.standby;
  const options: Record<string, string | number> = {
    listen_addr: FRONT,
    listen_port: PORTS[endpoint],
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(home, 'userlist.txt'),
    pool_mode: 'transaction',
    client_tls_sslmode: 'require',
    client_tls_cert_file: tls.cert,
    client_tls_key_file: tls.key,
    ...settings.pooler,
  };
  return [
    '[databases]',
    `${LOGIN.database} = host=${FRONT} port=${target}`,
    '[pgbouncer]',
    ...Object.entries(options).map(([key, value]) => `${key} = ${value}`),
    '',
  ].join('\n');
}
