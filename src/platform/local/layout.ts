/**
 * Where everything of a cluster is on this machine: pure arithmetic over paths, addresses and ports.
 *
 *   <state>/clusters/<namespace>/<name>/
 *     cluster.json   what was decided at creation      manifest.yaml  what was last applied
 *     journal.jsonl  who did what, when and why        ca.crt         for clients
 *     tls/ secrets/  private keys, passwords           conf/          rendered configuration
 *     services/      runit: one directory per server   data/          PGDATA and etcd
 *     logs/          one directory per server          aside/         data directories taken out of use
 *                    (isolated members: data/NAME-N.img, mounted on data/NAME-N)
 *   <state>/run/<id>/  sockets and pid files (short, for the 107 bytes a socket's path may have)
 */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ComponentKind } from '../../core/topology/observation.ts';

export interface Paths {
  root: string;
  record: string;
  manifest: string;
  journal: string;
  lock: string;
  ca: string;
  tls: string;
  secrets: string;
  conf: string;
  services: string;
  data: string;
  logs: string;
  aside: string;
  run: string;
}

/** @param subnet first three numbers of the cluster's loopback addresses, e.g. "127.64.3". */
export function clusterPaths(stateDir: string, namespace: string, name: string, subnet: string): Paths {
  const root = clusterRoot(stateDir, namespace, name);
  const below = (part: string) => join(root, part);
  return {
    root,
    record: below('cluster.json'),
    manifest: below('manifest.yaml'),
    journal: below('journal.jsonl'),
    lock: below('lock'),
    ca: below('ca.crt'),
    tls: below('tls'),
    secrets: below('secrets'),
    conf: below('conf'),
    services: below('services'),
    data: below('data'),
    logs: below('logs'),
    aside: below('aside'),
    run: join(stateDir, 'run', subnet.split('.').slice(1).join('-')),
  };
}

export function clusterRoot(stateDir: string, namespace: string, name: string): string {
  return join(stateDir, 'clusters', namespace, name);
}

/** Voters of etcd: three for any number of instances (docs/adr/0004). */
export const VOTERS = 3;

/** What decides on a cluster's addresses: its loopback network, and whether its members have hosts of their own. */
export interface Place {
  subnet: string;
  isolated: boolean;
}

/** First three numbers of the members' addresses. 127.64.0.0/10 and 100.64.0.0/10 are free or taken together. */
export function memberNetwork({ subnet, isolated }: Place): string {
  return isolated ? subnet.replace(/^127\./, '100.') : subnet;
}

/** Address of the n-th member and of the n-th voter, which stand for the n-th host. */
export function memberAddress(place: Place, ordinal: number): string {
  return `${memberNetwork(place)}.${10 + ordinal}`;
}

/** Where isolated members see everything that is outside their hosts: endpoints, pgherd, clients. */
export function outsideAddress(place: Place): string {
  return `${memberNetwork(place)}.1`;
}

/** Names of what an isolated cluster has of this machine's network. Interfaces have at most 15 characters. */
export interface NetworkNames {
  /** Namespace of the switch that the hosts are plugged into. */
  hub: string;
  /** Interface of this machine that leads to the switch. */
  link: string;
  /** Namespace of the n-th host. */
  host(ordinal: number): string;
}

export function networkNames({ subnet }: Place): NetworkNames {
  const id = subnet.split('.').slice(1).join('-');
  return { hub: `pgherd-${id}`, link: `pgherd${id}`, host: ordinal => `pgherd-${id}-${ordinal}` };
}

/** File by which a namespace is entered. */
export function namespacePath(name: string): string {
  return `/run/netns/${name}`;
}

/** Image of an isolated member's volume, mounted where its data lie. */
export function volumeImage(paths: Paths, member: string): string {
  return join(paths.data, `${member}.img`);
}

/** Address of the endpoints, where the cluster is reached from this machine. */
export function endpointAddress(subnet: string): string {
  return `${subnet}.1`;
}

/** Ports of the endpoints, all on one address, derived from PostgreSQL's own. */
export function endpointPorts(port: number): {
  primary: number;
  standby: number;
  pooler: number;
  poolerStandby: number;
} {
  return { primary: port, standby: port + 1, pooler: port + 1000, poolerStandby: port + 1001 };
}

export function memberName(spec: ClusterSpec, ordinal: number): string {
  return `${spec.name}-${ordinal}`;
}

/** The number at the end of a component's name. */
export function ordinalOf(component: string): number {
  return Number(component.slice(component.lastIndexOf('-') + 1));
}

/**
 * Every server the manifest asks for, in the order in which they start.
 * @param poolers processes for each pooler endpoint.
 */
export function desiredComponents(
  spec: ClusterSpec,
  poolers: number,
): { name: string; kind: ComponentKind }[] {
  const numbered = (count: number, prefix: string, kind: ComponentKind) =>
    Array.from({ length: count }, (_, n) => ({ name: `${prefix}-${n}`, kind }));
  if (spec.instances === 0) return [];
  return [
    ...numbered(VOTERS, 'etcd', 'etcd'),
    ...numbered(spec.instances, spec.name, 'member'),
    { name: 'proxy', kind: 'proxy' as const },
    ...numbered(spec.pooler.primary ? poolers : 0, 'pooler', 'pooler'),
    ...numbered(spec.pooler.standby ? poolers : 0, 'pooler-standby', 'poolerStandby'),
  ];
}

/** The kind of a component, by its name. */
export function componentKind(name: string): ComponentKind {
  if (name === 'proxy') return 'proxy';
  if (/^etcd-\d+$/.test(name)) return 'etcd';
  if (/^pooler-standby-\d+$/.test(name)) return 'poolerStandby';
  if (/^pooler-\d+$/.test(name)) return 'pooler';
  return 'member';
}
