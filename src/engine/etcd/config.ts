import { stringify } from 'yaml';

export interface EtcdPeer {
  name: string;
  address: string;
}

export interface EtcdConfigInput {
  self: EtcdPeer;
  peers: EtcdPeer[];
  /** Tells this cluster's first contact from any other's. */
  token: string;
  dataDir: string;
  tls: { ca: string; cert: string; key: string };
}

export const ETCD_CLIENT_PORT = 2379;
export const ETCD_PEER_PORT = 2380;

/**
 * Configuration file of one voter. Both sides of every connection show a certificate of the cluster's own
 * authority. Timing as measured best for one machine: an election after 500 ms of silence, with pre-vote,
 * so that a voter that comes back does not disturb the leader.
 */
export function renderEtcd(input: EtcdConfigInput): string {
  const clientUrl = `https://${input.self.address}:${ETCD_CLIENT_PORT}`;
  const peerUrl = `https://${input.self.address}:${ETCD_PEER_PORT}`;
  const security = {
    'client-cert-auth': true,
    'trusted-ca-file': input.tls.ca,
    'cert-file': input.tls.cert,
    'key-file': input.tls.key,
  };
  return stringify({
    name: input.self.name,
    'data-dir': input.dataDir,
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': input.peers
      .map(peer => `${peer.name}=https://${peer.address}:${ETCD_PEER_PORT}`)
      .join(','),
    'initial-cluster-state': 'new',
    'initial-cluster-token': input.token,
    'client-transport-security': security,
    'peer-transport-security': security,
    // Patroni speaks to the JSON gateway, which a configuration file (unlike flags) leaves off.
    'enable-grpc-gateway': true,
    'heartbeat-interval': 50,
    'election-timeout': 500,
    'pre-vote': true,
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': '1h',
    logger: 'zap',
    'log-level': 'warn',
  });
}
