export interface ProxyInput {
  /** Where each endpoint listens; the first address is the cluster's own loopback one. */
  primary: { addresses: string[]; port: number };
  standby: { addresses: string[]; port: number };
  members: { name: string; address: string; port: number }[];
  patroniPort: number;
  /** Clients from elsewhere than loopback are let in from these ranges only. */
  allowedSourceRanges: string[];
  /** A standby that is further behind serves no reads. Bytes. */
  maximumLag: number;
  tls: { ca: string; clientPem: string };
  socket: string;
  maxConnections: number;
}

/**
 * haproxy.cfg: two TCP endpoints that follow what Patroni says of each member. TLS passes through to
 * PostgreSQL. A member that stops being what an endpoint stands for loses its sessions at once.
 * `/primary` answers 200 when the lock is taken, before the promotion is done: only a body with the role
 * primary means that writes are taken (measured in reference/failover.md).
 */
export function renderHaproxy(input: ProxyInput): string {
  const standbyCheck = `/replica?replication_state=streaming&lag=${input.maximumLag}`;
  return [
    'global',
    '  log stdout format raw local0 notice',
    `  stats socket ${input.socket} mode 600 level admin`,
    `  maxconn ${input.maxConnections}`,
    '  hard-stop-after 10m',
    // Fewer file descriptors than maxconn asks for: say so and serve fewer clients, rather than none.
    '  no strict-limits',
    '',
    'defaults',
    '  mode tcp',
    '  log global',
    '  option dontlognull',
    '  option redispatch 1',
    '  option tcpka',
    '  retries 3',
    '  timeout connect 300ms',
    '  timeout check 1s',
    '  timeout client 24h',
    '  timeout server 24h',
    `  default-server check check-ssl verify required ca-file ${input.tls.ca} crt ${input.tls.clientPem} port ${input.patroniPort} inter 1s fastinter 250ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions`,
    '',
    ...frontend('primary', input.primary, input.allowedSourceRanges),
    'backend primary',
    '  option httpchk GET /primary',
    `  http-check expect rstring '"role": "(primary|master)"'`,
    ...servers(input),
    '',
    ...frontend('standby', input.standby, input.allowedSourceRanges),
    'backend standby',
    '  balance leastconn',
    `  option httpchk GET ${standbyCheck}`,
    '  http-check expect status 200',
    // A Patroni that is killed is back within two seconds: its standby's sessions need not notice.
    ...servers(input, ' fall 8'),
    '',
  ].join('\n');
}

function frontend(name: string, listen: { addresses: string[]; port: number }, ranges: string[]): string[] {
  return [
    `frontend ${name}`,
    ...listen.addresses.map(
      address => `  bind ${address.includes(':') ? `[${address}]` : address}:${listen.port}`,
    ),
    `  acl allowed src 127.0.0.0/8 ::1 ${ranges.join(' ')}`.trimEnd(),
    '  tcp-request connection reject if !allowed',
    `  default_backend ${name}`,
    '',
  ];
}

/**
 * A server that falls silent with a statement under way is given up as soon as PgBouncer would. HAProxy 2.6 accepts
 * `tcp-ut` in default-server and does not pass it on: sessions hung for 20 s (drill C9).
 */
function servers(input: ProxyInput, options = ''): string[] {
  return input.members.map(
    ({ name, address, port }) => `  server ${name} ${address}:${port} tcp-ut 1s${options}`,
  );
}
