/** C1 to C9: links, cuts and half-open connections. */
import type { Fault } from '../fault.ts';
import type { DrillStep, Scenario } from '../scenario.ts';
import {
  afterLease,
  awaitWrites,
  inject,
  inLease,
  isolated,
  pastLease,
  unbounded,
  undo,
  wait,
  within,
} from './words.ts';

const cut = (
  peers: Extract<Fault, { kind: 'cut' }>['peers'],
  direction: Extract<Fault, { kind: 'cut' }>['direction'],
) => inject(at => ({ kind: 'cut', member: at.primary, peers, direction }));

export const NETWORKS: readonly Scenario[] = [
  {
    id: 'C1',
    name: 'primary-isolated',
    title: 'the primary can reach nobody, and nobody reaches it',
    promise: inLease,
    needs: isolated,
    bounds: afterLease,
    steps: [cut('everyone', 'both'), pastLease, undo, awaitWrites],
  },
  {
    id: 'C1L',
    name: 'link-down-past-lease',
    title: "the primary's link is down for longer than its lease, then healed",
    promise: `${inLease}; the healed primary follows the new one (Patroni before 3.0.3 failed this)`,
    needs: isolated,
    bounds: afterLease,
    steps: [
      inject(at => ({ kind: 'link-down', member: at.primary })),
      pastLease,
      wait(10_000),
      undo,
      awaitWrites,
    ],
  },
  {
    id: 'C2',
    name: 'primary-without-dcs',
    title: 'the primary loses its connections to etcd only',
    promise: `it steps down before its lease ends; ${inLease}`,
    needs: isolated,
    bounds: afterLease,
    steps: [cut('dcs', 'both'), pastLease, undo, awaitWrites],
  },
  {
    id: 'C3',
    name: 'primary-without-standbys',
    title: 'the primary loses its standbys, but not etcd',
    promise:
      'no promotion; commits wait until the synchronous standby has been released (strict: until they are back)',
    needs: { ...isolated, synchronous: true },
    bounds: unbounded,
    steps: [cut('members', 'both'), pastLease, undo, awaitWrites],
  },
  {
    id: 'C4',
    name: 'outgoing-cut',
    title: 'the primary hears everybody, and nobody hears it',
    promise: inLease,
    needs: isolated,
    bounds: afterLease,
    steps: [cut('everyone', 'outgoing'), pastLease, undo, awaitWrites],
  },
  {
    id: 'C4i',
    name: 'incoming-cut',
    title: 'everybody hears the primary, and it hears nobody',
    promise: inLease,
    needs: isolated,
    bounds: afterLease,
    steps: [cut('everyone', 'incoming'), pastLease, undo, awaitWrites],
  },
  {
    id: 'C8',
    name: 'link-flapping',
    title: "the primary's link goes down for 2 s and up for 3 s, six times",
    promise: 'at most one failover; writes stall while the link is down',
    needs: isolated,
    bounds: afterLease,
    steps: Array.from({ length: 6 }, (): DrillStep[] => [
      inject(at => ({ kind: 'link-down', member: at.primary })),
      wait(2_000),
      undo,
      wait(3_000),
    ]).flat(),
  },
  {
    id: 'C9',
    name: 'connections-forgotten',
    title: 'a firewall on the way forgets the connections that exist: half-open, without a reset',
    promise: 'clients through the pooler are served again within 10 s',
    needs: isolated,
    bounds: within(10_000),
    steps: [
      inject(at => ({ kind: 'forget-connections', member: at.primary })),
      wait(30_000),
      undo,
      awaitWrites,
    ],
  },
];
