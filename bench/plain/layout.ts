/** Names, addresses and ports of a baseline. The network is RFC 2544's, which is set aside for benchmarks. */
import { join } from 'node:path';

export const HOSTS = [0, 1, 2];
export const OUTSIDE = '198.18.77.1';
export const PREFIX = 24;
export const NETWORK = '198.18.77.0/24';
/** HAProxy and PgBouncer, for clients. */
export const FRONT = '127.63.1.1';
export const PORTS = {
  postgres: 5432,
  patroni: 8008,
  etcdClient: 2379,
  etcdPeer: 2380,
  primary: 5000,
  standby: 5001,
  pooler: 6432,
  poolerStandby: 6433,
};
export const SCOPE = 'plain';
/** Role and database of the load. */
export const LOGIN = { user: 'app', database: 'app' };

export const addressOf = (host: number): string => `198.18.77.${10 + host}`;
export const memberOf = (host: number): string => `${SCOPE}-${host}`;
export const voterOf = (host: number): string => `etcd-${host}`;
export const hostOf = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));

/** What one host has on disk, and the front (`front`). */
export const homeOf = (directory: string, host: number | 'front'): string => join(directory, `h-${host}`);
/** The volume of a host: PostgreSQL's data alone lie there, as on pgherd's isolated members. */
export const volumeOf = (directory: string, host: number): string => join(homeOf(directory, host), 'volume');
export const dataOf = (directory: string, host: number): string => join(volumeOf(directory, host), 'data');
export const socketOf = (directory: string, host: number): string => join(homeOf(directory, host), 's');
