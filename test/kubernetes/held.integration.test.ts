/**
 * A primary that is moved or restarted while clients write through the pooler: they wait, and meet no error. A transaction
 * that takes longer than the two seconds it is waited for is cut, so these tests need a machine whose commits do not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { restart, switchover } from '../../src/control/operations.ts';
import { exec } from '../../src/platform/kubernetes/api/exec.ts';
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
      await bench.createSmall(NAME, { enableConnectionPooler: true });
      await bench.settled(NAME, 3 * MINUTES);
      const sql = 'CREATE TABLE t (n int);';
      await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', sql);
    }, 5 * MINUTES);

    afterAll(async () => {
      await bench[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    });

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
      const old = await bench.primary(NAME);
      await withoutError(async () => {
        using moved = await cluster();
        const { to } = await switchover(moved, moved.spec, {}, context());
        expect(to).not.toBe(old);
      });
      await eventually('the label to follow', MINUTES, async () => (await bench.primary(NAME)) !== old);
    });

    test('a restart of the primary', { timeout: 3 * MINUTES }, async () => {
      await bench.settled(NAME, MINUTES);
      const old = await bench.primary(NAME);
      await withoutError(async () => {
        using restarted = await cluster();
        await restart(restarted, restarted.spec, { member: old }, context());
      });
      expect(await bench.primary(NAME)).toBe(old);
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

    /** What the sentinel did since then. */
    async function deeds(since: Date): Promise<string[]> {
      using watched = await cluster();
      const entries = await watched.journal.read({ since });
      return entries.filter(({ actor }) => actor === 'sentinel').map(({ event }) => event);
    }

    /** Runs a command in the primary's container. Resolves with its name; undefined: the sentinel could not see it. */
    async function breakPrimary(script: string): Promise<string | undefined> {
      // Patroni names it some seconds after a start: before, nobody could take over.
      await eventually('a synchronous standby', MINUTES, async () => {
        const sync = await bench.get('ConfigMap', `${NAME}-sync`);
        return (sync?.metadata.annotations?.sync_standby ?? '') !== '';
      });
      const old = await bench.primary(NAME);
      const pod = await bench.get('Pod', old);
      const { podIP = '' } = (pod?.status ?? {}) as { podIP?: string };
      // The operator of this test is a process of this machine.
      if (!(await speaksPostgres(podIP))) return undefined;
      const place = { namespace: bench.namespace, pod: old, container: 'postgres' };
      const options = { timeoutMs: MINUTES, signal: AbortSignal.timeout(MINUTES) };
      const words = ['bash', '-c', script];
      expect(await exec(bench.client, place, words, options)).toMatchObject({ code: 0 });
      return old;
    }

    const UNSEEN = 'pods cannot be reached from here: run it in the network of a node';
    const POSTMASTER = '"$(head -n 1 /home/postgres/pgdata/pgroot/data/postmaster.pid)"';

    test('the sentinel holds clients while a killed PostgreSQL is replaced', {
      timeout: 4 * MINUTES,
    }, async context => {
      await bench.settled(NAME, 2 * MINUTES);
      const since = new Date();
      const old = await breakPrimary(`kill -9 ${POSTMASTER}`);
      if (old === undefined) context.skip(UNSEEN);
      await eventually(
        'another primary',
        MINUTES,
        async () => ![old, ''].includes(await bench.primary(NAME)),
      );
      await eventually('the clients to go on', MINUTES, async () => {
        const events = await deeds(since);
        return events.includes('sentinel-hold') && events.includes('sentinel-wake');
      });
      const sql = 'INSERT INTO t VALUES (1) RETURNING n;';
      const other = await bench.primary(NAME);
      expect(await bench.sqlThroughService(NAME, other, 'bauer', 'firmendaten', sql)).toMatch(/^1/);
    });

    test('a postmaster that stands still is killed, and a standby takes over', {
      timeout: 5 * MINUTES,
    }, async context => {
      await bench.settled(NAME, 3 * MINUTES);
      // The sentinel does nothing twice within half a minute.
      await new Promise(resolve => setTimeout(resolve, 35_000));
      const since = new Date();
      const old = await breakPrimary(`kill -STOP ${POSTMASTER}`);
      if (old === undefined) context.skip(UNSEEN);
      await eventually(
        'another primary',
        2 * MINUTES,
        async () => ![old, ''].includes(await bench.primary(NAME)),
      );
      const sql = 'INSERT INTO t VALUES (1) RETURNING n;';
      const other = await bench.primary(NAME);
      expect(await bench.sqlThroughService(NAME, other, 'bauer', 'firmendaten', sql)).toMatch(/^1/);
      await eventually('the word of it', MINUTES, async () =>
        (await deeds(since)).includes('sentinel-fence'),
      );
      // Nobody let it go on: it comes back because it was killed.
      await bench.settled(NAME, 2 * MINUTES);
    });

    test('standbys that stand still are not taken for a hung primary', {
      timeout: 3 * MINUTES,
    }, async context => {
      await bench.settled(NAME, 2 * MINUTES);
      const old = await bench.primary(NAME);
      const since = new Date();
      // Nobody acknowledges what the primary sends: commits wait, but for the sentinel's own.
      const senders = 'psql -XAtqU postgres -c "SELECT pid FROM pg_stat_replication"';
      const script = `pids=$(${senders}); [ -n "$pids" ] && kill -STOP $pids; sleep 12; kill -CONT $pids`;
      const seen = await breakPrimary(script);
      if (seen === undefined) context.skip(UNSEEN);
      expect(await bench.primary(NAME)).toBe(old);
      const acts = await deeds(since);
      expect(acts).not.toContain('sentinel-fence');
      expect(acts).not.toContain('sentinel-revoke');
    });
  },
);

/** Whether it is PostgreSQL that answers: where pods cannot be reached, a gateway may take the connection in their place. */
function speaksPostgres(host: string): Promise<boolean> {
  return new Promise(resolve => {
    const mayWeSpeakTls = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    const socket = connect({ host, port: 5432, timeout: 2_000 }, () => socket.write(mayWeSpeakTls));
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('data', () => end(true));
    for (const trouble of ['timeout', 'error', 'end']) socket.once(trouble, () => end(false));
  });
}
