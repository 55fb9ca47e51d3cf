/**
 * An operator that is killed at every step: after each single change that it makes, before it hears that it was made.
 * Whatever was asked for is whole in the end, and members go one at a time.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/poll.ts';
import type { ApiProxy } from './apiProxy.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'killed';
const MINUTES = 60_000;
const signal = () => AbortSignal.timeout(MINUTES);

describe.skipIf(obstacle !== undefined)('an operator that is killed after every change', () => {
  let bench: Bench;
  let proxy: ApiProxy;
  const kills: Record<string, string[]> = {};

  beforeAll(async () => {
    bench = await Bench.open();
    proxy = await bench.proxy();
  });

  afterAll(async () => {
    const counts = Object.entries(kills).map(([what, list]) => `${what}: ${list.length}`);
    process.stderr.write(`operators killed: ${counts.join(', ')}\n`);
    await proxy[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  /** Starts operators until `done`, each of which is killed with its first change of this kind. */
  async function throughKills(what: string, done: () => Promise<boolean>): Promise<void> {
    const killed: string[] = [];
    kills[what] = killed;
    for (;;) {
      await bench.freeLease();
      const operator = await bench.operator({ proxy, leads: false });
      let first = true;
      proxy.onWrite = async ({ method, path }) => {
        // A status is written whenever something moves; killed there it would never get on to other things.
        if (!first || path.endsWith('/status') || path.endsWith('/events')) return;
        first = false;
        killed.push(`${method} ${path}`);
        await operator.kill('SIGKILL');
      };
      let ended = false;
      const watching = operator.ended.then(() => {
        ended = true;
      });
      while (!ended) {
        if (await done()) {
          proxy.onWrite = () => {};
          await operator.kill('SIGTERM');
          await watching;
          return;
        }
        await Promise.race([watching, new Promise(resolve => setTimeout(resolve, 300))]);
      }
    }
  }

  const settled = () => bench.isSettled(NAME);
  const rows = (from = `${NAME}-0`) =>
    bench.sqlThroughService(NAME, from, 'bauer', 'firmendaten', 'SELECT count(*) FROM t;');

  test('makes a cluster', { timeout: 15 * MINUTES }, async () => {
    await bench.createSmall(NAME, { enableConnectionPooler: true });
    await throughKills('create', settled);
    expect((await bench.members(NAME)).map(({ name }) => name).sort()).toEqual([`${NAME}-0`, `${NAME}-1`]);
    const sql = 'CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT count(*) FROM t;';
    expect(await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', sql)).toMatch(/1$/);
  });

  test('scales it', { timeout: 10 * MINUTES }, async () => {
    await bench.edit(NAME, { numberOfInstances: 3 });
    await throughKills('scale up', settled);
    expect((await bench.members(NAME)).length).toBe(3);
    await bench.edit(NAME, { numberOfInstances: 2 });
    await throughKills('scale down', settled);
    expect((await bench.members(NAME)).length).toBe(2);
    expect(await rows()).toBe('1');
  });

  test('rolls it, one member at a time and the primary last', { timeout: 10 * MINUTES }, async () => {
    const before = await bench.uids(NAME);
    const old = await bench.primary(NAME);
    const went: string[] = [];
    let least = before.size;
    await bench.edit(NAME, { podAnnotations: { rolled: 'yes' } });
    await throughKills('roll', async () => {
      const members = await bench.members(NAME);
      least = Math.min(least, members.filter(({ ready }) => ready).length);
      for (const { name, uid } of members)
        if (before.get(name) !== uid && !went.includes(name)) went.push(name);
      return went.length === before.size && (await settled());
    });
    expect(went.at(-1)).toBe(old);
    expect(least).toBe(before.size - 1);
    expect(await rows()).toBe('1');
  });

  test('deletes it with everything', { timeout: 10 * MINUTES }, async () => {
    await bench.edit(NAME, {}, { 'pgherd.dev/on-delete': 'delete' });
    await bench.client.remove({ kind: 'postgresql', namespace: bench.namespace, name: NAME }, {}, signal());
    await throughKills('delete', async () => (await bench.get('postgresql', NAME)) === undefined);
    const selection = { namespace: bench.namespace, labelSelector: `cluster-name=${NAME}` };
    for (const kind of [
      'Pod',
      'Service',
      'Secret',
      'ConfigMap',
      'PersistentVolumeClaim',
      'StatefulSet',
    ] as const) {
      await eventually(`every ${kind} to be gone`, MINUTES, async () => {
        const { items } = await bench.client.list(kind, selection, signal());
        return items.length === 0;
      });
    }
  });
});
