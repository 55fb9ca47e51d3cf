/** A primary that is moved or restarted while clients write through the pooler: they wait, and meet no error. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restart, switchover } from '../../src/control/operations.ts';
import { createKubernetesPlatform } from '../../src/platform/kubernetes/remote/index.ts';
import { eventually } from '../support/poll.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'held';
const MINUTES = 60_000;
const SECONDS = 20;

describe.skipIf(obstacle !== undefined)(
  `clients of the pooler on Kubernetes${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let bench: Bench;
    let directory: string;

    beforeAll(async () => {
      bench = await Bench.open();
      directory = await mkdtemp(join(tmpdir(), 'pgherd-held-'));
      await bench.operator();
      await bench.create(NAME, {
        teamId: 'acid',
        postgresql: { version: bench.version },
        numberOfInstances: 2,
        volume: { size: '1Gi' },
        users: { bauer: [] },
        databases: { firmendaten: 'bauer' },
        enableConnectionPooler: true,
        resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
      });
      await bench.settled(NAME, 3 * MINUTES);
      const sql = 'CREATE TABLE t (n int);';
      await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', sql);
    }, 5 * MINUTES);

    afterAll(async () => {
      await bench[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    });

    const primary = async () => (await bench.members(NAME)).find(member => member.primary)?.name ?? '';

    /** Four clients write all the time, and none of their transactions fails. */
    async function withoutError(work: () => Promise<void>): Promise<void> {
      const sql = 'INSERT INTO t VALUES (1);';
      const writing = bench.writersThroughPooler(NAME, `${NAME}-0`, 'bauer', 'firmendaten', {
        sql,
        seconds: SECONDS,
      });
      await new Promise(resolve => setTimeout(resolve, 3_000));
      await work();
      const { code, stdout, stderr } = await writing;
      expect(`${stderr}`).not.toMatch(/error|aborted/i);
      expect(code).toBe(0);
      const [, processed = '0'] = /actually processed: (\d+)/.exec(stdout) ?? [];
      const read = 'SELECT count(*) FROM t;';
      const rows = await bench.sqlThroughService(
        NAME,
        `${NAME}-0`,
        'bauer',
        'firmendaten',
        `${read} TRUNCATE t;`,
      );
      expect(Number(rows.split('\n')[0])).toBeGreaterThanOrEqual(Number(processed));
      expect(Number(processed)).toBeGreaterThan(0);
    }

    async function cluster() {
      const { PGHERD_TEST_KUBECONFIG: kubeconfig } = process.env;
      const platform = await createKubernetesPlatform({
        kubeconfig,
        context: undefined,
        env: process.env,
        namespace: bench.namespace,
        stateDir: directory,
      });
      return await platform.open({ name: NAME, namespace: bench.namespace }, AbortSignal.timeout(MINUTES));
    }

    const context = () => ({ signal: AbortSignal.timeout(MINUTES), progress() {} });

    test('a switchover', { timeout: 3 * MINUTES }, async () => {
      const old = await primary();
      await withoutError(async () => {
        using moved = await cluster();
        const { to } = await switchover(moved, moved.spec, {}, context());
        expect(to).not.toBe(old);
      });
      await eventually('the label to follow', MINUTES, async () => (await primary()) !== old);
    });

    test('a restart of the primary', { timeout: 3 * MINUTES }, async () => {
      await bench.settled(NAME, MINUTES);
      const old = await primary();
      await withoutError(async () => {
        using restarted = await cluster();
        await restart(restarted, restarted.spec, { member: old }, context());
      });
      expect(await primary()).toBe(old);
    });

    test('a parameter that the operator restarts every member for', { timeout: 4 * MINUTES }, async () => {
      await bench.settled(NAME, MINUTES);
      await withoutError(async () => {
        await bench.edit(NAME, {
          postgresql: { version: bench.version, parameters: { max_connections: '120' } },
        });
        await new Promise(resolve => setTimeout(resolve, (SECONDS - 5) * 1000));
      });
      await bench.settled(NAME, 2 * MINUTES);
    });
  },
);
