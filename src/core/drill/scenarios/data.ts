/** E4 to G8: volumes, data directories, replication. */
import type { Fault } from '../fault.ts';
import type { Scenario } from '../scenario.ts';
import {
  afterLease,
  awaitWrites,
  inject,
  injectAll,
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

const stopReceiver = (member: string): Fault => ({
  kind: 'signal',
  member,
  process: 'walreceiver',
  signal: 'STOP',
});

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
    needs: { ...three, synchronous: true },
    bounds: afterLease,
    steps: [
      injectAll(at => at.standbys.map(stopReceiver)),
      wait(500),
      inject(at => ({ kind: 'power-off', member: at.primary })),
      { do: 'undo', kind: 'signal' },
      awaitWrites,
      undo,
    ],
  },
  {
    id: 'G8',
    name: 'promoted-by-hand',
    title: "somebody promotes a standby behind Patroni's back (pg_ctl promote)",
    promise: 'it is found out, and follows again; no write through an endpoint reaches it',
    needs: three,
    bounds: within(5_000, PROMOTION_MS),
    steps: [onStandby(member => ({ kind: 'promote', member })), wait(15_000)],
  },
];
