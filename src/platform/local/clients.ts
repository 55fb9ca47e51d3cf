import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EtcdClient } from '../../engine/etcd/client.ts';
import { PatroniClient } from '../../engine/patroni/client.ts';
import type { TlsIdentity } from '../../lib/http.ts';
import type { PatroniOperations } from '../contract.ts';
import { memberAddress, ordinalOf, type Paths } from './layout.ts';
import type { Clients } from './observe.ts';
import type { ClusterRecord } from './record.ts';

/** One client per server, made at its first use and kept, so that each look at the cluster reuses connections. */
export class ClientPool implements Clients {
  readonly #paths: Paths;
  readonly #record: ClusterRecord;
  readonly #patroni = new Map<string, PatroniClient>();
  readonly #etcd = new Map<string, EtcdClient>();
  #identity: TlsIdentity | undefined;

  constructor(paths: Paths, record: ClusterRecord) {
    this.#paths = paths;
    this.#record = record;
  }

  patroni(member: string): PatroniClient {
    return remember(
      this.#patroni,
      member,
      () => new PatroniClient(member, this.#addressOf(member), this.#tls()),
    );
  }

  etcd(voter: string): EtcdClient {
    return remember(this.#etcd, voter, () => new EtcdClient(this.#addressOf(voter), this.#tls()));
  }

  close(): void {
    for (const client of [...this.#patroni.values(), ...this.#etcd.values()]) client[Symbol.dispose]();
    this.#patroni.clear();
    this.#etcd.clear();
  }

  #addressOf(name: string): string {
    return memberAddress(this.#record, ordinalOf(name));
  }

  /** The control plane's own certificate; read when first needed, since a new cluster has none yet. */
  #tls(): TlsIdentity {
    const read = (name: string) => readFileSync(join(this.#paths.tls, name), 'utf8');
    this.#identity ??= { ca: read('ca.crt'), cert: read('control.crt'), key: read('control.key') };
    return this.#identity;
  }
}

function remember<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Patroni's operations, asked of the member that has to carry them out. */
export function patroniOperations(clients: ClientPool): PatroniOperations {
  return {
    switchover: ({ from, to }, signal) => clients.patroni(from).switchover(from, to, signal),
    failover: ({ to }, signal) => clients.patroni(to).failover(to, signal),
    restart: (member, signal) => clients.patroni(member).restart(signal),
    reinitialise: (member, signal) => clients.patroni(member).reinitialise(signal),
  };
}
