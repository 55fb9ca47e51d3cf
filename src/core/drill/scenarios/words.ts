/** The words that scenarios are written in. */
import type { Fault } from '../fault.ts';
import type { Bounds, DrillStep, Lease, Situation } from '../scenario.ts';

/** Election and promotion after the lease has ended, and the way back of clients, on two busy cores. */
export const PROMOTION_MS = 8_000;

/** What a machine takes to come back whole: start of all servers, recovery, election. */
const COLD_START_MS = 60_000;

export const inject = (fault: (at: Situation) => Fault | undefined): DrillStep => ({
  do: 'inject',
  faults: at => [fault(at)].filter(found => found !== undefined),
});
export const injectAll = (faults: (at: Situation) => Fault[]): DrillStep => ({ do: 'inject', faults });
export const wait = (ms: number): DrillStep => ({ do: 'wait', ms: () => ms });
/** Long enough that whoever does not renew the lease has lost it. */
export const pastLease: DrillStep = { do: 'wait', ms: ({ ttlMs }) => ttlMs + 10_000 };
export const undo: DrillStep = { do: 'undo' };
export const awaitWrites: DrillStep = { do: 'await-writes', ms: 90_000 };

export const within = (writes: number, reads = writes): Bounds => ({
  writes: () => writes,
  reads: () => reads,
});
const lease = ({ ttlMs }: Lease) => ttlMs + PROMOTION_MS;
export const afterLease: Bounds = { writes: lease, reads: lease };
const coldStart = ({ ttlMs }: Lease) => ttlMs + COLD_START_MS;
export const afterColdStart: Bounds = { writes: coldStart, reads: coldStart };
export const unbounded: Bounds = { writes: () => undefined, reads: () => undefined };

export const pair = { instances: 2 };
export const three = { instances: 3 };
export const isolated = { instances: 3, isolated: true };

export const inMinimum = 'the cluster fails over in a few turns of Patroni';
export const inLease = 'the cluster fails over when the lease has ended';

/** On a standby that no commit waits for, where there is one. */
export const onStandby = (fault: (member: string) => Fault) =>
  inject(({ synchronous, standbys }) => {
    const member = standbys.find(name => name !== synchronous) ?? standbys[0];
    return member === undefined ? undefined : fault(member);
  });
