/** E4 to G8: volumes, data directories, replication. */
import type { Scenario } from '../scenario.ts';
import {
  afterLease,
  awaitWrites,
  inject,
  inLease,
  isolated,
  onStandby,
  PROMOTION_MS,
  pair,
  three,
  undo,
  wait,
  within,
} from './words.ts';

export const DATA: readonly Scenario[] = [
  {
    id: 'E4',
    name: 'standby-volume-full',
    title: 'the volume of a standby is full',
    promise: 'writes go on; the standby returns when there is room',
    needs: isolated,
    bounds: within(20_000),
    steps: [onStandby(member => ({ kind: 'fill-volume', member })), wait(20_000), undo, awaitWrites],
  },
  {
    id: 'E5',
    name: 'primary-volume-full',
    title: 'the volume with the data and the WAL of the primary is full',
    promise: 'a standby with room takes over; no WAL is deleted',
    needs: isolated,
    bounds: within(60_000),
    steps: [inject(at => ({ kind: 'fill-volume', member: at.primary })), wait(60_000), undo, awaitWrites],
  },
  {
    id: 'E9',
    name: 'data-lost',
    title: 'the data directory of the primary vanishes',
    promise: 'a standby takes over, and the member is built anew',
    needs: pair,
    bounds: within(30_000),
    steps: [inject(at => ({ kind: 'lose-data', member: at.primary })), awaitWrites],
  },
  {
    id: 'G1',
    name: 'replay-paused',
    title: 'a standby receives the WAL but does not replay it',
    promise: 'writes go on; reads on this standby grow old',
    needs: three,
    bounds: within(3_000),
    steps: [onStandby(member => ({ kind: 'pause-replay', member })), wait(15_000), undo],
  },
  {
    id: 'G2',
    name: 'divergence',
    title: 'the primary dies with WAL that no standby has, and comes back',
    promise: `${inLease}; the old primary is rewound, nothing acknowledged is lost in the synchronous modes`,
    needs: { ...isolated, synchronous: true },
    bounds: afterLease,
    steps: [
      // What is cut off is not acknowledged, and not sent either: nothing waits in a buffer for its way out.
      inject(at => ({ kind: 'cut', member: at.primary, peers: 'members', direction: 'both' })),
      wait(1_000),
      inject(at => ({ kind: 'power-off', member: at.primary })),
      { do: 'undo', kind: 'cut' },
      awaitWrites,
      undo,
    ],
  },
  {
    id: 'G8',
    name: 'promoted-by-hand',
    title: "somebody promotes a standby behind Patroni's back (pg_ctl promote)",
    promise:
      'status tells, no client of an endpoint is led to it, and `pgherd reinit` makes it a standby again',
    needs: three,
    bounds: within(5_000, PROMOTION_MS),
    steps: [onStandby(member => ({ kind: 'promote', member })), wait(15_000), { do: 'reinit' }],
  },
];
