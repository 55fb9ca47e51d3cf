import type { PatroniOperations } from '../contract.ts';
import type { ClientPool } from './clients.ts';

/** Patroni's operations by its REST interface, each asked of the member that has to carry it out. */
export function memberOperations(clients: ClientPool): PatroniOperations {
  return {
    switchover: ({ from, to }, signal) => clients.patroni(from).switchover(from, to, signal),
    failover: ({ to }, signal) => clients.patroni(to).failover(to, signal),
    restart: (member, signal) => clients.patroni(member).restart(signal),
    reinitialise: (member, signal) => clients.patroni(member).reinitialise(signal),
  };
}
