import type { PoolerSpec } from '../../core/manifest/spec.ts';

/** Name PgBouncer knows the control plane by, on its admin console only. */
export const POOLER_ADMIN = 'pgherd';

/** Clients that one process takes; more are refused. */
export const POOLER_CLIENTS = 10_000;
/**
 * Milliseconds until a connection counts as lost whose bytes nobody acknowledges (any kernel that lives does, whatever
 * its PostgreSQL is doing). The logins of a failover wait for it: each asks the database for its password, and those that
 * asked a host that is gone get no answer, unless somebody ends them sooner. It holds for clients as well, and theirs may be
 * a poor network: twice the longest blip that shall go unnoticed (issue 4: 500 ms), and no less.
 */
const UNACKNOWLEDGED_MS = 1_000;

export interface PoolerInput {
  pooler: PoolerSpec;
  addresses: string[];
  port: number;
  /** Directory of this process's Unix socket: several processes share the TCP port. */
  socketDir: string;
  /** undefined: none. One that is left behind keeps PgBouncer from starting where process ids come again. */
  pidFile: string | undefined;
  /** Holds the one line that says where the database is; written on a role change. */
  targetFile: string;
  userlistFile: string;
  hbaFile: string;
  tls: { ca: string | undefined; cert: string; key: string };
  /** How the server's certificate is judged; what verifies needs `tls.ca`. */
  serverTls: 'verify-full' | 'verify-ca' | 'require';
  /** PgBouncer's own version: option names differ. */
  version: string;
  /** max_connections of the servers less what is reserved. */
  serverConnections: number;
  /** Databases that share the server's connections. */
  databases: number;
  /** Processes of this endpoint that share the connections of a database, wherever they run. */
  processes: number;
  /** This process among those that share the port, and where the others' sockets are. */
  peers: { id: number; socketDir: string }[];
  peerId: number;
}

/**
 * How many processes serve one endpoint. Below 1.19 PgBouncer cannot hand a cancel request to the process that
 * runs the query: with two on one port half of all cancels were lost (measured), so there is only one.
 */
export function poolerProcesses(pooler: PoolerSpec, version: string): number {
  return atLeast(version, 1, 19) ? pooler.instances : 1;
}

/** Whether PgBouncer keeps prepared statements apart in transaction mode (since 1.21). */
function hasPreparedStatements(version: string): boolean {
  return atLeast(version, 1, 21);
}

/**
 * pgbouncer.ini of one process. Pools are sized as the manifest's format does: the connections per database
 * are shared out among the processes; half of a share is a pool, a quarter its reserve. They never add up to
 * more than the server has, so clients queue here and never meet "too many clients".
 */
export function renderPgbouncer(input: PoolerInput): string {
  const { pooler } = input;
  const perDatabase = Math.min(
    pooler.maxDbConnections,
    Math.floor(input.serverConnections / Math.max(1, input.databases)),
  );
  const share = Math.max(2, Math.floor(perDatabase / input.processes));
  const options: [string, string | number][] = [
    ['listen_addr', input.addresses.join(',')],
    ['listen_port', input.port],
    ['so_reuseport', 1],
    ['unix_socket_dir', input.socketDir],
    ...(input.pidFile === undefined ? [] : ([['pidfile', input.pidFile]] as [string, string][])),
    ['auth_type', 'hba'],
    ['auth_hba_file', input.hbaFile],
    ['auth_file', input.userlistFile],
    ['auth_query', `SELECT uname, phash FROM ${quote(pooler.schema)}.user_lookup($1)`],
    ['admin_users', POOLER_ADMIN],
    ['pool_mode', pooler.mode],
    ['max_client_conn', POOLER_CLIENTS],
    ['max_db_connections', share],
    ['default_pool_size', Math.max(1, Math.floor(share / 2))],
    ['reserve_pool_size', Math.max(1, Math.floor(share / 4))],
    ['reserve_pool_timeout', 1],
    ['server_check_delay', 30],
    ['server_connect_timeout', 30],
    ['server_login_retry', 0.2],
    ['query_wait_timeout', 120],
    ['tcp_keepalive', 1],
    ['tcp_user_timeout', UNACKNOWLEDGED_MS],
    ['client_tls_sslmode', 'require'],
    ['client_tls_cert_file', input.tls.cert],
    ['client_tls_key_file', input.tls.key],
    ['server_tls_sslmode', input.serverTls],
    ...(input.tls.ca === undefined ? [] : ([['server_tls_ca_file', input.tls.ca]] as [string, string][])),
    ['ignore_startup_parameters', 'extra_float_digits,search_path'],
    ['log_connections', 0],
    ['log_disconnections', 0],
    ['stats_period', 3600],
  ];
  if (hasPreparedStatements(input.version)) options.push(['max_prepared_statements', 200]);
  const lines = ['[pgbouncer]', ...options.map(([key, value]) => `${key} = ${value}`)];
  if (input.peers.length > 1) {
    // A cancel request may arrive at another process than its query: peers pass it on.
    lines.push(`peer_id = ${input.peerId}`, '', '[peers]');
    lines.push(...input.peers.map(peer => `${peer.id} = host=${peer.socketDir} port=${input.port}`));
  }
  return [...lines, '', `%include ${input.targetFile}`, ''].join('\n');
}

/** The target file: every database name leads to this server. */
export function renderTarget(target: { address: string; port: number; lookupUser: string }): string {
  return `[databases]\n* = host=${target.address} port=${target.port} auth_user=${target.lookupUser}\n`;
}

/** userlist.txt: the two users PgBouncer must know without asking the database. */
export function renderUserlist(users: { name: string; password: string }[]): string {
  return users.map(user => `"${user.name}" "${user.password.replaceAll('"', '""')}"\n`).join('');
}

/** The pooler's own pg_hba: TLS and SCRAM from loopback and the allowed ranges, the console on the Unix socket. */
export function renderPoolerHba(ranges: string[]): string {
  return [
    `local pgbouncer ${POOLER_ADMIN} scram-sha-256`,
    ...['127.0.0.0/8', '::1/128', ...ranges].map(range => `hostssl all all ${range} scram-sha-256`),
    '',
  ].join('\n');
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
