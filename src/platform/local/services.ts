/**
 * What each server of a cluster needs on disk, rendered from the manifest: pure text, no IO. Comparing it with
 * what was last handed to a running server tells whether that server is out of date.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ComponentKind } from '../../core/topology/observation.ts';
import { renderEtcd } from '../../engine/etcd/config.ts';
import { poolerProcesses } from '../../engine/pgbouncer/config.ts';
import { pooler, proxy } from './frontServices.ts';
import { componentKind, desiredComponents, memberAddress, ordinalOf, VOTERS } from './layout.ts';
import { member } from './memberService.ts';
import type { ClusterRecord } from './record.ts';
import { type Parts, type RenderInput, type Service, scripts, tlsFiles } from './serviceParts.ts';

/** Every server that the manifest asks for on this machine. */
export function wantedComponents(
  spec: ClusterSpec,
  record: ClusterRecord,
): { name: string; kind: ComponentKind }[] {
  return desiredComponents(spec, poolerProcesses(spec.pooler, record.programs.pgbouncerVersion));
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

function etcd(name: string, _kind: ComponentKind, { record, paths }: RenderInput): Parts {
  const peers = Array.from({ length: VOTERS }, (_, n) => ({
    name: `etcd-${n}`,
    address: memberAddress(record, n),
  }));
  const self = peers[ordinalOf(name)] ?? { name, address: memberAddress(record, ordinalOf(name)) };
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
    scripts: scripts(name, record, paths, [record.programs.etcd, '--config-file', file], {
      host: ordinalOf(name),
      urgent: true,
    }),
    reload: undefined,
  };
}
