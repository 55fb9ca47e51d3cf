/** D1 to D3, F5, H1 to J1: servers beside the members, clients, the control plane. */
import type { Scenario, Situation } from '../scenario.ts';
import { awaitWrites, inject, PROMOTION_MS, pair, undo, wait, within } from './words.ts';

const hold = (components: (at: Situation) => string[]) =>
  inject(at => ({ kind: 'hold-down', components: components(at) }));

export const SERVERS: readonly Scenario[] = [
  {
    id: 'D1',
    name: 'voter-killed',
    title: 'one voter of etcd is killed',
    promise: 'nobody notices',
    needs: pair,
    bounds: within(3_000),
    steps: [
      inject(({ voters: [voter] }) =>
        voter === undefined ? undefined : { kind: 'kill-server', component: voter },
      ),
      wait(10_000),
    ],
  },
  {
    id: 'D2',
    name: 'quorum-lost',
    title: 'two of three voters of etcd are gone for 30 s',
    promise: 'the primary steps down rather than lie, and returns with the quorum',
    needs: pair,
    bounds: { writes: ({ ttlMs }) => 30_000 + ttlMs + PROMOTION_MS, reads: () => undefined },
    steps: [hold(at => at.voters.slice(0, 2)), wait(30_000), undo, awaitWrites],
  },
  {
    id: 'D3',
    name: 'dcs-lost',
    title: 'all voters of etcd are gone for 30 s',
    promise: 'the primary steps down rather than lie, and returns with etcd',
    needs: pair,
    bounds: { writes: ({ ttlMs }) => 30_000 + ttlMs + PROMOTION_MS, reads: () => undefined },
    steps: [hold(at => at.voters), wait(30_000), undo, awaitWrites],
  },
  {
    id: 'F5',
    name: 'connection-storm',
    title: '2,000 clients connect through the pooler',
    promise: 'not one is refused, and administrators get in',
    needs: { instances: 1, pooler: true },
    bounds: within(5_000),
    steps: [{ do: 'storm', clients: 2_000 }, wait(2_000)],
  },
  {
    id: 'H1',
    name: 'pooler-killed',
    title: 'a PgBouncer is killed',
    promise: 'it is back within 2 s',
    needs: { instances: 1, pooler: true },
    bounds: within(2_000),
    steps: [
      inject(({ poolers: [pooler] }) =>
        pooler === undefined ? undefined : { kind: 'kill-server', component: pooler },
      ),
      wait(5_000),
    ],
  },
  {
    id: 'H3',
    name: 'switchover',
    title: 'a planned switchover, with sessions waiting in the pools',
    promise: 'a short stall; no pooled session meets a server that is read only',
    needs: { ...pair, pooler: true },
    bounds: within(PROMOTION_MS),
    steps: [{ do: 'switchover' }, awaitWrites],
  },
  {
    id: 'H4',
    name: 'proxy-killed',
    title: 'HAProxy is killed',
    promise: 'it is back within 2 s; the pooler does not need it',
    needs: { instances: 1 },
    bounds: within(3_000),
    steps: [
      inject(({ proxy }) => (proxy === undefined ? undefined : { kind: 'kill-server', component: proxy })),
      wait(5_000),
    ],
  },
  {
    id: 'J1',
    name: 'control-plane-killed',
    title: 'the control plane and the supervisor are killed, and a rolling restart at three moments',
    promise: 'queries go on; the next `pgherd up` finishes what was begun',
    needs: pair,
    bounds: within(PROMOTION_MS),
    steps: [
      inject(() => ({ kind: 'kill-control-plane' })),
      wait(3_000),
      { do: 'crash-command', command: 'restart', afterMs: [1_000, 2_500, 5_000] },
      { do: 'up' },
    ],
  },
];
