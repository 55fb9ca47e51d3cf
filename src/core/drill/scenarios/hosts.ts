/** B1 to B4: hosts that lose their power. */
import type { Scenario } from '../scenario.ts';
import {
  afterColdStart,
  afterLease,
  awaitWrites,
  inject,
  injectAll,
  inLease,
  three,
  undo,
  wait,
} from './words.ts';

export const HOSTS: readonly Scenario[] = [
  {
    id: 'B1',
    name: 'host-lost',
    title: "the primary's host loses its power",
    promise: inLease,
    needs: three,
    bounds: afterLease,
    steps: [inject(at => ({ kind: 'power-off', member: at.primary })), awaitWrites, wait(2_000), undo],
  },
  {
    id: 'B2',
    name: 'all-hosts-lost',
    title: 'all hosts of the members lose their power, and it comes back',
    promise: 'the cluster comes back by itself with all it has acknowledged',
    needs: three,
    bounds: afterColdStart,
    steps: [
      injectAll(at => [at.primary, ...at.standbys].map(member => ({ kind: 'power-off', member }))),
      wait(5_000),
      undo,
      awaitWrites,
    ],
  },
  {
    id: 'B4',
    name: 'machine-rebooted',
    title: 'everything on this machine ends at once, the control plane included; then `pgherd up`',
    promise: '`pgherd up` brings back all of it with all it has acknowledged',
    needs: { instances: 1 },
    bounds: afterColdStart,
    steps: [inject(() => ({ kind: 'power-off-all' })), wait(2_000), undo, { do: 'up' }, awaitWrites],
  },
];
