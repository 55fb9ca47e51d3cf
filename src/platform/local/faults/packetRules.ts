/** Which packets a cut drops, as rules of iptables in the namespace of a member's host: pure text. */
import type { Fault } from '../../../core/drill/fault.ts';
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from '../../../engine/etcd/config.ts';
import { PATRONI_PORT } from '../../../engine/patroni/config.ts';

type Cut = Extract<Fault, { kind: 'cut' }>;

/** The host whose packets are dropped, and what is around it. */
export interface Surroundings {
  /** Its only interface: what a host tells itself goes by another one, and stays untouched. */
  link: string;
  /** Where endpoints and clients come from. */
  outside: string;
  /** Addresses of the other hosts. */
  others: string[];
  /** PostgreSQL's port. */
  port: number;
}

/** More than these iptables does not take in one rule. */
const PORTS_PER_RULE = 15;

/** One rule a line, each with the tag by which it is found again. */
export function cutRules(cut: Cut, around: Surroundings, tag: string): string[] {
  const matches = matchesOf(cut.peers, around);
  return (['outgoing', 'incoming'] as const)
    .filter(direction => cut.direction === 'both' || cut.direction === direction)
    .flatMap(direction => matches.map(match => rule(direction, around.link, match, tag)));
}

/** Drops what belongs to connections from these ports of the outside to PostgreSQL, in both directions. */
export function forgetRules(ports: number[], around: Surroundings, tag: string): string[] {
  const chunks = Array.from({ length: Math.ceil(ports.length / PORTS_PER_RULE) }, (_, n) =>
    ports.slice(n * PORTS_PER_RULE, (n + 1) * PORTS_PER_RULE).join(','),
  );
  return chunks.flatMap(list => [
    rule(
      'incoming',
      around.link,
      { peer: around.outside, ports: `--dport ${around.port} -m multiport --sports ${list}` },
      tag,
    ),
    rule(
      'outgoing',
      around.link,
      { peer: around.outside, ports: `--sport ${around.port} -m multiport --dports ${list}` },
      tag,
    ),
  ]);
}

/** What iptables-restore reads: all rules come into force at once, or none does. */
export function transaction(rules: string[]): string {
  return ['*filter', ...rules, 'COMMIT', ''].join('\n');
}

/** The lines that take the tagged rules back, from what iptables-save shows. */
export function deletions(saved: string, tag: string): string[] {
  return saved
    .split('\n')
    .filter(line => line.startsWith('-A ') && line.split(/["\s]+/).includes(tag))
    .map(line => line.replace(/^-A /, '-D '));
}

/** The last column of each line of ss is the peer: "0 0 100.64.0.10:5432 100.64.0.1:40000". */
export function peerPorts(text: string): number[] {
  const peers = text.split('\n').map(line => line.trim().split(/\s+/)[3] ?? '');
  return peers.map(peer => Number(peer.slice(peer.lastIndexOf(':') + 1))).filter(port => port > 0);
}

interface Match {
  /** Address of the other side; undefined: anybody. */
  peer?: string;
  /** What TCP has to show; undefined: any packet. */
  ports?: string;
}

function matchesOf(peers: Cut['peers'], { outside, others, port }: Surroundings): Match[] {
  switch (peers) {
    case 'everyone':
      return [{}];
    case 'clients':
      return [{ peer: outside }];
    case 'dcs':
      return [{ ports: `-m multiport --ports ${ETCD_CLIENT_PORT},${ETCD_PEER_PORT}` }];
    case 'members':
      return others.map(peer => ({ peer, ports: `-m multiport --ports ${port},${PATRONI_PORT}` }));
  }
}

function rule(direction: 'outgoing' | 'incoming', link: string, { peer, ports }: Match, tag: string): string {
  const [chain, by, from] = direction === 'outgoing' ? ['OUTPUT', '-o', '-d'] : ['INPUT', '-i', '-s'];
  return [
    `-A ${chain} ${by} ${link}`,
    ...(peer === undefined ? [] : [`${from} ${peer}`]),
    ...(ports === undefined ? [] : [`-p tcp ${ports}`]),
    `-m comment --comment ${tag} -j DROP`,
  ].join(' ');
}
