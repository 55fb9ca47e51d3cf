/**
 * What each server of a cluster needs on disk, rendered from the manifest: pure text, no IO. Comparing it with
 * what was last handed to a running server tells whether that server is out of date.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ComponentKind, DynamicConfig } from '../../core/topology/observation.ts';
import { ETCD_CLIENT_PORT, renderEtcd } from '../../engine/etcd/config.ts';
import { renderHaproxy } from '../../engine/haproxy/config.ts';
import { dynamicConfig, PATRONI_PORT, renderPatroni } from '../../engine/patroni/config.ts';
import {
  POOLER_ADMIN,
  poolerProcesses,
  renderPgbouncer,
  renderPoolerHba,
  renderTarget,
  renderUserlist,
} from '../../engine/pgbouncer/config.ts';
import { effectiveParameters, maxConnections, RESERVED_CONNECTIONS } from '../../engine/postgres/tuning.ts';
import {
  componentKind,
  desiredComponents,
  endpointAddress,
  endpointPorts,
  memberAddress,
  memberName,
  ordinalOf,
  type Paths,
  VOTERS,
} from './layout.ts';
import type { ClusterRecord } from './record.ts';
import type { ServiceScripts } from './runit.ts';

export interface RenderedFile {
  path: string;
  text: string;
  /** What counts as a change, where that is not the whole text. */
  identity?: string;
  /** What the server must do to notice a change. */
  onChange: 'reload' | 'restart';
}

export interface Service {
  name: string;
  kind: ComponentKind;
  files: RenderedFile[];
  scripts: ServiceScripts;
  /** runit's letter that makes the server read its files again; undefined: it can only be restarted. */
  reload: 'h' | '2' | undefined;
}

export interface RenderInput {
  spec: ClusterSpec;
  record: ClusterRecord;
  paths: Paths;
  /** Passwords by user name. */
  passwords: Record<string, string>;
  /** Fingerprint of each certificate: a renewed one counts as a change of its server's files. */
  certificates: Record<string, string>;
}

/** Addresses where an endpoint listens: loopback always, the listen address when the manifest exposes it. */
export function listenAddresses(record: ClusterRecord, exposed: boolean): string[] {
  return [endpointAddress(record.subnet), ...(exposed && record.listen !== undefined ? [record.listen] : [])];
}

export function desiredDynamicConfig(spec: ClusterSpec, record: ClusterRecord): DynamicConfig {
  return dynamicConfig({
    spec,
    parameters: effectiveParameters(spec),
    systemUsers: [...new Set([record.serviceUser.name, 'root'])],
    memberNetworks: ['127.0.0.0/8'],
  });
}

/** Every server that the manifest asks for on this machine. */
export function wantedComponents(
  spec: ClusterSpec,
  record: ClusterRecord,
): { name: string; kind: ComponentKind }[] {
  return desiredComponents(spec, poolerProcesses(spec.pooler, record.programs.pgbouncerVersion));
}

/** Prefix of the keys of the cluster's namespace in the DCS; Patroni appends the cluster's name. */
export function dcsNamespace(spec: ClusterSpec): string {
  return `/pgherd/${spec.namespace}/`;
}

export function renderService(name: string, input: RenderInput): Service {
  const kind = componentKind(name);
  const service = { etcd, member, proxy, pooler, poolerStandby: pooler }[kind](name, kind, input);
  // etcd reads its certificate at each handshake; the others are told of a new one.
  const certificate = {
    etcd: undefined,
    member: name,
    proxy: 'proxy',
    pooler: 'endpoint',
    poolerStandby: 'endpoint',
  }[kind];
  if (certificate === undefined) return { ...service, name, kind };
  const text = input.certificates[certificate] ?? '';
  const stamp = { path: join(input.paths.conf, name, 'certificate'), text, onChange: 'reload' as const };
  return { ...service, name, kind, files: [...service.files, stamp] };
}

/** Fingerprints of what a service consists of: what was handed to the server is noted in these terms. */
export function fingerprints(service: Service): Record<string, string> {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
  return Object.fromEntries([
    ['run', hash(service.scripts.run)],
    ...service.files.map(file => [file.path, hash(file.identity ?? file.text)] as const),
  ]);
}

type Parts = Pick<Service, 'files' | 'scripts' | 'reload'>;

function etcd(name: string, _kind: ComponentKind, { record, paths }: RenderInput): Parts {
  const peers = Array.from({ length: VOTERS }, (_, n) => ({
    name: `etcd-${n}`,
    address: memberAddress(record.subnet, n),
  }));
  const self = peers[ordinalOf(name)] ?? { name, address: memberAddress(record.subnet, ordinalOf(name)) };
  const file = join(paths.conf, name, 'etcd.yaml');
  const text = renderEtcd({
    self,
    peers,
    token: record.uid,
    dataDir: join(paths.data, name),
    tls: tlsFiles(paths, name),
  });
  return {
    files: [{ path: file, text, onChange: 'restart' }],
    scripts: scripts(name, record, paths, [record.programs.etcd, '--config-file', file]),
    reload: undefined,
  };
}

function member(name: string, _kind: ComponentKind, input: RenderInput): Parts {
  const { spec, record, paths, passwords } = input;
  const ordinal = ordinalOf(name);
  const conf = join(paths.conf, name);
  const voters = Array.from({ length: VOTERS }, (_, n) => memberAddress(record.subnet, n));
  const own = memberAddress(record.subnet, ordinal);
  const callback = join(conf, 'on-role-change');
  const socketDir = memberSocketDir(paths, name);
  const settings = {
    scope: spec.name,
    namespace: dcsNamespace(spec),
    member: { name, address: own, port: record.port },
    etcd: {
      hosts: [...new Set([...(voters.includes(own) ? [own] : []), ...voters])],
      port: ETCD_CLIENT_PORT,
    },
    dynamic: desiredDynamicConfig(spec, record),
    initdb: spec.patroni.initdb,
    paths: {
      data: join(paths.data, name, 'pgdata'),
      binDir: record.postgres.binDir,
      socketDir,
      pgpass: join(paths.data, name, '.pgpass'),
      callback,
    },
    tls: tlsFiles(paths, name),
    passwords: { superuser: passwords.postgres ?? '', replication: passwords.standby ?? '' },
  };
  const text = renderPatroni(settings);
  // The bootstrap section is read once, when the cluster is born: later changes go to the dynamic configuration.
  const identity = renderPatroni({ ...settings, dynamic: {}, initdb: {} });
  const file = join(conf, 'patroni.yml');
  return {
    files: [
      { path: file, text, identity, onChange: 'reload' },
      { path: callback, text: roleChangeCallback(own, socketDir, input), onChange: 'reload' },
    ],
    scripts: scripts(name, record, paths, [...record.programs.patroni, file], {
      ...record.programs.patroniEnv,
      HOME: join(paths.data, name),
    }),
    reload: 'h',
  };
}

/**
 * Patroni calls this on the member whose role changed. It leads the poolers to the new primary as soon as that
 * takes writes, without pgherd: a pooler reaches the primary with no proxy in between and still follows it.
 */
function roleChangeCallback(
  address: string,
  socketDir: string,
  { spec, record, paths }: RenderInput,
): string {
  const target = poolerTargetFile(paths, 'pooler');
  const psql = join(record.postgres.binDir, 'psql');
  const text = renderTarget({ address, port: record.port, lookupUser: spec.pooler.user });
  return `#!/bin/sh
# Called by Patroni: ACTION ROLE CLUSTER. Rendered by pgherd; edits are overwritten.
[ "$2" = primary ] || exit 0
export PGOPTIONS= PGCONNECT_TIMEOUT=2
tries=0
until [ "$(${psql} -h ${socketDir} -p ${record.port} -U postgres -d postgres -XAtc 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" = t ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || exit 1
  sleep 0.05
done
cat > ${target}.$$ <<'TARGET'
${text}TARGET
mv -f ${target}.$$ ${target}
for pid in ${join(paths.run, 'pooler-[0-9]*', 'pid')}; do
  [ -r "$pid" ] && kill -HUP "$(cat "$pid")" 2>/dev/null
done
exit 0
`;
}

function proxy(name: string, _kind: ComponentKind, { spec, record, paths }: RenderInput): Parts {
  const ports = endpointPorts(record.port);
  const file = join(paths.conf, name, 'haproxy.cfg');
  const text = renderHaproxy({
    primary: { addresses: listenAddresses(record, spec.exposed.primary), port: ports.primary },
    standby: { addresses: listenAddresses(record, spec.exposed.standby), port: ports.standby },
    members: Array.from({ length: spec.instances }, (_, n) => ({
      name: memberName(spec, n),
      address: memberAddress(record.subnet, n),
      port: record.port,
    })),
    patroniPort: PATRONI_PORT,
    allowedSourceRanges: spec.allowedSourceRanges,
    maximumLag: spec.patroni.maximumLagOnFailover,
    tls: { ca: join(paths.tls, 'ca.crt'), clientPem: join(paths.tls, 'proxy.pem') },
    socket: join(paths.run, 'proxy.sock'),
    maxConnections: 8000,
  });
  return {
    files: [{ path: file, text, onChange: 'reload' }],
    scripts: scripts(name, record, paths, [record.programs.haproxy, '-W', '-db', '-f', file]),
    reload: '2',
  };
}

function pooler(name: string, kind: ComponentKind, input: RenderInput): Parts {
  const { spec, record, paths, passwords } = input;
  const prefix = kind === 'pooler' ? 'pooler' : 'pooler-standby';
  const ports = endpointPorts(record.port);
  const conf = join(paths.conf, name);
  const ordinal = ordinalOf(name);
  const socketDir = (n: number) => join(paths.run, `${prefix}-${n}`);
  const addresses = listenAddresses(record, spec.exposed[kind === 'pooler' ? 'pooler' : 'poolerStandby']);
  const port = ports[kind === 'pooler' ? 'pooler' : 'poolerStandby'];
  const ini = join(conf, 'pgbouncer.ini');
  const files = { userlist: join(conf, 'userlist.txt'), hba: join(conf, 'hba.conf') };
  const text = renderPgbouncer({
    pooler: spec.pooler,
    addresses,
    port,
    socketDir: socketDir(ordinal),
    pidFile: join(socketDir(ordinal), 'pid'),
    targetFile: poolerTargetFile(paths, kind),
    userlistFile: files.userlist,
    hbaFile: files.hba,
    tls: tlsFiles(paths, 'endpoint'),
    version: record.programs.pgbouncerVersion,
    serverConnections: maxConnections(spec) - RESERVED_CONNECTIONS,
    databases: spec.databases.length + spec.preparedDatabases.length,
    peers: Array.from({ length: poolerProcesses(spec.pooler, record.programs.pgbouncerVersion) }, (_, n) => ({
      id: n + 1,
      socketDir: socketDir(n),
    })),
    peerId: ordinal + 1,
  });
  const users = [
    { name: spec.pooler.user, password: passwords[spec.pooler.user] ?? '' },
    { name: POOLER_ADMIN, password: passwords[POOLER_ADMIN] ?? '' },
  ];
  return {
    files: [
      { path: ini, text, onChange: 'reload' },
      // PgBouncer reads these once, when it starts.
      { path: join(conf, 'listen'), text: `${addresses.join(',')}:${port}\n`, onChange: 'restart' },
      { path: files.userlist, text: renderUserlist(users), onChange: 'reload' },
      { path: files.hba, text: renderPoolerHba(spec.allowedSourceRanges), onChange: 'reload' },
    ],
    scripts: scripts(name, record, paths, [record.programs.pgbouncer, '-q', ini]),
    reload: 'h',
  };
}

/** Where the poolers of one kind find their server. The primary's is rewritten on every role change. */
export function poolerTargetFile(paths: Paths, kind: ComponentKind): string {
  return join(paths.conf, kind === 'pooler' ? 'target-primary' : 'target-standby', 'databases.ini');
}

/** The standby poolers go through the proxy, which knows the healthy standbys and shares the load. */
export function standbyTarget(spec: ClusterSpec, record: ClusterRecord): string {
  const port = endpointPorts(record.port).standby;
  return renderTarget({ address: endpointAddress(record.subnet), port, lookupUser: spec.pooler.user });
}

export function primaryTarget(spec: ClusterSpec, record: ClusterRecord, address: string): string {
  return renderTarget({ address, port: record.port, lookupUser: spec.pooler.user });
}

export function memberSocketDir(paths: Paths, name: string): string {
  return join(paths.run, `member-${ordinalOf(name)}`);
}

function tlsFiles(paths: Paths, name: string): { ca: string; cert: string; key: string } {
  return {
    ca: join(paths.tls, 'ca.crt'),
    cert: join(paths.tls, `${name}.crt`),
    key: join(paths.tls, `${name}.key`),
  };
}

/**
 * The run script. chpst -L takes a lock that the server keeps: should runsv be killed and its successor start
 * while the old server still runs, the second one gives way instead of starting twice.
 */
function scripts(
  name: string,
  record: ClusterRecord,
  paths: Paths,
  argv: string[],
  env: Record<string, string> = {},
): ServiceScripts {
  const { chpst, svlogd } = record.programs;
  const user = `-u ${record.serviceUser.name}:${record.serviceUser.name}`;
  const drop = process.getuid?.() === 0 ? ` ${user}` : '';
  const exports = Object.entries(env).map(([key, value]) => `export ${key}=${quote(value)}`);
  return {
    run: [
      '#!/bin/sh',
      `# ${name} of ${record.namespace}/${record.name}. Rendered by pgherd; edits are overwritten.`,
      'exec 2>&1',
      ...exports,
      'ulimit -n "$(ulimit -Hn)" 2>/dev/null',
      `exec ${chpst}${drop} -L ${quote(join(paths.conf, name, 'running.lock'))} ${argv.map(quote).join(' ')}`,
      '',
    ].join('\n'),
    log: `#!/bin/sh\nexec ${chpst}${drop} ${svlogd} -ttt ${quote(join(paths.logs, name))}\n`,
  };
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
