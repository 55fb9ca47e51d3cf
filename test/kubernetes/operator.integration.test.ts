/**
 * The operator on a real API server with real pods, from the first manifest to the last volume. One cluster lives
 * through all of it, so the tests depend on their order. Skipped, and saying so, where there is no such server.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/poll.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'wichtige-daten';
const MINUTES = 60_000;

describe.skipIf(obstacle !== undefined)(
  `operator on Kubernetes${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let bench: Bench;
    let operator: Awaited<ReturnType<Bench['operator']>>;
    const figures: Record<string, number> = {};

    beforeAll(async () => {
      bench = await Bench.open();
      operator = await bench.operator();
    });

    afterAll(async () => {
      process.stderr.write(`figures, seconds: ${JSON.stringify(figures)}\n`);
      await bench[Symbol.asyncDispose]();
    });

    test('a manifest becomes three streaming members that take writes through the Service', {
      timeout: 3 * MINUTES,
    }, async () => {
      await bench.createSmall(NAME, { numberOfInstances: 3 });
      figures.up = await bench.settled(NAME, 2 * MINUTES);
      expect((await bench.members(NAME)).map(({ name }) => name).sort()).toEqual(
        [0, 1, 2].map(n => `${NAME}-${n}`),
      );
      const sql = 'CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT count(*) FROM t;';
      expect(await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', sql)).toMatch(/1$/);
    });

    test('what is deleted or edited is repaired within seconds, what others add stays', {
      timeout: MINUTES,
    }, async () => {
      const ref = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
      const signal = AbortSignal.timeout(MINUTES);
      const began = performance.now();
      await bench.client.remove(ref, {}, signal);
      await eventually('the Service to be back', 5000, () => bench.client.get(ref, signal));
      figures.deletedRepaired = (performance.now() - began) / 1000;
      const again = performance.now();
      await bench.client.merge(
        ref,
        { metadata: { annotations: { other: 'kept' } }, spec: { selector: { 'spilo-role': 'x' } } },
        signal,
      );
      const service = await eventually('the selector to be right', 5000, async () => {
        const live = await bench.client.get(ref, signal);
        const { selector } = (live?.spec ?? {}) as { selector?: Record<string, string> };
        return selector?.['spilo-role'] === 'replica' ? live : undefined;
      });
      figures.editRepaired = (performance.now() - again) / 1000;
      expect(service.metadata.annotations?.other).toBe('kept');
    });

    test('a password changed in its Secret holds at once', { timeout: MINUTES }, async () => {
      const name = `bauer.${NAME}.credentials.postgresql.acid.zalan.do`;
      const began = performance.now();
      await bench.client.merge(
        { kind: 'Secret', namespace: bench.namespace, name },
        { data: { password: Buffer.from("it's new; \\$1 ü").toString('base64') } },
        AbortSignal.timeout(MINUTES),
      );
      await eventually('the new password to hold', 20_000, () =>
        bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', 'SELECT 1;'),
      );
      figures.password = (performance.now() - began) / 1000;
    });

    test('a manifest that is wrong is named, and nothing running is touched', {
      timeout: MINUTES,
    }, async () => {
      const before = await bench.uids(NAME);
      await bench.edit(NAME, { users: { 'Not A Role!': [] } });
      const invalid = await eventually('InvalidSpec', 20_000, async () => {
        const found = await bench.condition(NAME, 'InvalidSpec');
        return found?.status === 'True' ? found : undefined;
      });
      expect(invalid.message).toContain('Not A Role!');
      expect(await bench.uids(NAME)).toEqual(before);
      await bench.edit(NAME, { users: { 'Not A Role!': null } });
      await bench.settled(NAME, MINUTES);
    });

    test('a changed template rolls one member at a time, primary last, though the operator is killed', {
      timeout: 5 * MINUTES,
    }, async () => {
      const before = await bench.uids(NAME);
      const old = await bench.primary(NAME);
      const went: string[] = [];
      let least = 3;
      const watching = new AbortController();
      const watch = (async () => {
        while (!watching.signal.aborted) {
          const members = await bench.members(NAME).catch(() => undefined);
          if (members !== undefined) {
            least = Math.min(least, members.filter(({ ready }) => ready).length);
            for (const { name, uid } of members)
              if (before.get(name) !== uid && !went.includes(name)) went.push(name);
          }
        }
      })();
      const began = performance.now();
      await bench.edit(NAME, { podAnnotations: { rolled: 'yes' } });
      await eventually('the first member to go', MINUTES, () => went.length > 0);
      await operator.kill('SIGKILL');
      operator = await bench.operator();
      await bench.settled(NAME, 4 * MINUTES);
      figures.rolledWithKill = (performance.now() - began) / 1000;
      watching.abort();
      await watch;
      expect(went.length).toBe(3);
      expect(went.at(-1)).toBe(old);
      expect(least).toBeGreaterThanOrEqual(2);
    });

    test('a parameter that needs a restart is in force everywhere, and no pod was made anew', {
      timeout: 3 * MINUTES,
    }, async () => {
      const before = await bench.uids(NAME);
      await bench.edit(NAME, { postgresql: { parameters: { max_connections: '120' } } });
      await bench.settled(NAME, 2 * MINUTES);
      expect(
        await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', 'SHOW max_connections;'),
      ).toBe('120');
      expect(await bench.uids(NAME)).toEqual(before);
    });

    test('an image that does not exist costs one standby and is said', { timeout: 4 * MINUTES }, async () => {
      const before = await bench.uids(NAME);
      const old = await bench.primary(NAME);
      const host = async () => (await bench.get('Pod', `${NAME}-backup-0`))?.metadata.uid;
      const archive = await host();
      await bench.edit(NAME, { dockerImage: 'localhost/does-not-exist:1' });
      await eventually(
        'the roll to stop',
        MINUTES,
        async () => (await bench.condition(NAME, 'Progressing'))?.reason === 'RolloutStuck',
      );
      const after = await bench.uids(NAME);
      expect([...before].filter(([name, uid]) => after.get(name) !== uid).length).toBe(1);
      expect(after.get(old)).toBe(before.get(old));
      expect([archive, await host()]).toEqual([expect.any(String), archive]);
      expect((await bench.status(NAME)).PostgresClusterStatus).toBe('UpdateFailed');
      await bench.edit(NAME, { dockerImage: null });
      await bench.settled(NAME, 2 * MINUTES);
    });

    test('without an operator a killed primary is replaced by Patroni; two operators: one acts, the other takes over', {
      timeout: 4 * MINUTES,
    }, async () => {
      const second = await bench.operator({ leads: false });
      expect(second.log.join('')).not.toContain('leads:');
      await operator.kill('SIGKILL');
      const killed = performance.now();
      const old = await bench.primary(NAME);
      await bench.client.remove(
        { kind: 'Pod', namespace: bench.namespace, name: old },
        {},
        AbortSignal.timeout(MINUTES),
      );
      await eventually('another primary', MINUTES, async () => {
        const now = await bench.primary(NAME);
        return now !== '' && now !== old;
      });
      figures.otherPrimary = (performance.now() - killed) / 1000;
      await eventually('the second operator to lead', MINUTES, () => second.log.join('').includes('leads:'));
      figures.operatorTakeover = (performance.now() - killed) / 1000;
      operator = second;
      await bench.settled(NAME, 2 * MINUTES);
    });

    test('scaling down moves the primary first and keeps volumes; scaling up takes them again', {
      timeout: 5 * MINUTES,
    }, async () => {
      await bench.edit(NAME, { numberOfInstances: 1 });
      await bench.settled(NAME, 3 * MINUTES);
      expect((await bench.members(NAME)).map(({ name }) => name)).toEqual([`${NAME}-0`]);
      expect(await bench.get('PersistentVolumeClaim', `pgdata-${NAME}-2`)).toBeDefined();
      expect(
        await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', 'SELECT count(*) FROM t;'),
      ).toBe('1');
      await bench.edit(NAME, { numberOfInstances: 2 });
      await bench.settled(NAME, 2 * MINUTES);
    });

    test('deleting leaves volumes and Secrets: the same manifest finds its data again; asked for, they go', {
      timeout: 6 * MINUTES,
    }, async () => {
      const spec = (await bench.get('postgresql', NAME))?.spec as object;
      const ref = { kind: 'postgresql', namespace: bench.namespace, name: NAME } as const;
      const signal = AbortSignal.timeout(6 * MINUTES);
      await bench.client.remove(ref, {}, signal);
      await eventually(
        'the cluster to be gone',
        2 * MINUTES,
        async () => (await bench.get('postgresql', NAME)) === undefined,
      );
      await eventually(
        'its objects to be gone',
        MINUTES,
        async () => (await bench.get('Service', NAME)) === undefined,
      );
      expect(await bench.get('PersistentVolumeClaim', `pgdata-${NAME}-0`)).toBeDefined();
      await bench.create(NAME, spec);
      await bench.settled(NAME, 2 * MINUTES);
      expect(
        await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', 'SELECT count(*) FROM t;'),
      ).toBe('1');
      await bench.edit(NAME, {}, { 'pgherd.dev/on-delete': 'delete' });
      await bench.client.remove(ref, {}, signal);
      await eventually('everything to be gone', 2 * MINUTES, async () => {
        const claims = await bench.client.list(
          'PersistentVolumeClaim',
          { namespace: bench.namespace },
          signal,
        );
        const left = claims.items.filter(claim => claim.metadata.deletionTimestamp === undefined);
        return (
          left.length === 0 &&
          (await bench.get('Secret', `postgres.${NAME}.credentials.postgresql.acid.zalan.do`)) === undefined
        );
      });
    });
  },
);
