/** What clients reach: the proxy, the poolers, and where the poolers find their servers. */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ComponentKind } from '../../core/topology/observation.ts';
import { renderHaproxy } from '../../engine/haproxy/config.ts';
import { PATRONI_PORT } from '../../engine/patroni/config.ts';
import {
  POOLER_ADMIN,
  poolerProcesses,
  renderPgbouncer,
  renderPoolerHba,
  renderTarget,
  renderUserlist,
} from '../../engine/pgbouncer/config.ts';
import { maxConnections, RESERVED_CONNECTIONS } from '../../engine/postgres/tuning.ts';
import {
  endpointAddress,
  endpointPorts,
  memberAddress,
  memberName,
  ordinalOf,
  type Paths,
} from './layout.ts';
import type { ClusterRecord } from './record.ts';
import { listenAddresses, type Parts, type RenderInput, scripts, tlsFiles } from './serviceParts.ts';

export function proxy(name: string, _kind: ComponentKind, { spec, record, paths }: RenderInput): Parts {
  const ports = endpointPorts(record.port);
  const file = join(paths.conf, name, 'haproxy.cfg');
  const text = renderHaproxy({
    primary: { addresses: listenAddresses(record, spec.exposed.primary), port: ports.primary },
    standby: { addresses: listenAddresses(record, spec.exposed.standby), port: ports.standby },
    members: Array.from({ length: spec.instances }, (_, n) => ({
      name: memberName(spec, n),
      address: memberAddress(record, n),
      port: record.port,
    })),
    patroniPort: PATRONI_PORT,
    allowedSourceRanges: spec.allowedSourceRanges,
    maximumLag: spec.patroni.maximumLagOnFailover,
    tls: { ca: join(paths.tls, 'ca.crt'), clientPem: join(paths.tls, 'proxy.pem') },
    socket: proxySocket(paths),
    maxConnections: 8000,
  });
  return {
    files: [{ path: file, text, onChange: 'reload' }],
    scripts: scripts(name, record, paths, [record.programs.haproxy, '-W', '-db', '-f', file], {
      urgent: true,
    }),
    reload: '2',
  };
}

export function pooler(name: string, kind: ComponentKind, input: RenderInput): Parts {
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
  const processes = poolerProcesses(spec.pooler, record.programs.pgbouncerVersion);
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
    serverTls: 'verify-full',
    version: record.programs.pgbouncerVersion,
    serverConnections: maxConnections(spec) - RESERVED_CONNECTIONS,
    databases: spec.databases.length + spec.preparedDatabases.length,
    processes,
    peers: Array.from({ length: processes }, (_, n) => ({ id: n + 1, socketDir: socketDir(n) })),
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
    scripts: scripts(name, record, paths, [record.programs.pgbouncer, ini], { urgent: true }),
    reload: 'h',
  };
}

/** HAProxy's runtime interface. */
export function proxySocket(paths: Paths): string {
  return join(paths.run, 'proxy.sock');
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
