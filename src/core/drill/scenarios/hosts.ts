/** B1 to B5: hosts that lose their power, and pods. */
import type { Scenario } from '../scenario.ts';
import {
  afterColdStart,
  afterLease,
  awaitWrites,
  inject,
  injectAll,
  inLease,
  PROMOTION_MS,
  pair,
  three,
  undo,
  wait,
  within,
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
  {
    id: 'B5',
    name: 'pod-deleted',
    title: "the primary's pod is deleted",
    promise: 'it hands over before it ends: a standby takes writes within seconds, and the pod comes back',
    needs: pair,
    bounds: within(PROMOTION_MS),
    steps: [inject(at => ({ kind: 'delete-pod', member: at.primary })), awaitWrites],
  },
];
