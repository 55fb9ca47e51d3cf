/**
 * Physical backups on a real API server with real pods: what a cluster has without a line in its manifest, proofs,
 * restores, a clone. One cluster lives through all of it. Skipped, and saying so, where there is no such server.
 */
import { execFile, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBackup } from '../../src/backup/physical.ts';
import { restoreBeside } from '../../src/backup/restore.ts';
import { verifyBackups } from '../../src/backup/verify.ts';
import type { PlatformCluster } from '../../src/platform/contract.ts';
import { createKubernetesPlatform } from '../../src/platform/kubernetes/remote/index.ts';
import { eventually } from '../support/poll.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'saved';
const MINUTES = 60_000;

describe.skipIf(obstacle !== undefined)(
  `backups on Kubernetes${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let bench: Bench;
    let cluster: PlatformCluster;
    let before: string;
    const figures: Record<string, number> = {};
    const context = { signal: AbortSignal.timeout(20 * MINUTES), progress: () => {} };
    const shape = {
      teamId: 'acid',
      volume: { size: '1Gi' },
      users: { app: [] },
      databases: { app: 'app' },
      resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
    };

    beforeAll(async () => {
      bench = await Bench.open();
      await bench.operator();
    });

    afterAll(async () => {
      process.stderr.write(`figures, seconds: ${JSON.stringify(figures)}\n`);
      cluster?.[Symbol.dispose]();
      await bench[Symbol.asyncDispose]();
    });

    const health = async (name: string) =>
      (await bench.status(name)).conditions?.find(({ type }) => type === 'BackupHealthy');
    const write = (sql: string) => bench.sqlThroughService(NAME, `${NAME}-0`, 'app', 'app', sql);
    const admin = async (sql: string) => {
      await using session = await cluster.restores.primarySession('app', context.signal);
      return await session.query(sql);
    };
    const gone = "SELECT to_regclass('rescued.filling') IS NULL AS gone";
    const inNamespace = () => ['--kubeconfig', access.kubeconfig ?? '', '-n', bench.namespace];
    const pgherd = (...words: string[]) =>
      promisify(execFile)(process.execPath, ['src/main.ts', ...words, ...inNamespace()]);
    const access = {
      kubeconfig: process.env.PGHERD_TEST_KUBECONFIG,
      context: undefined,
      env: process.env,
      stateDir: tmpdir(),
    };

    test('a manifest without a line about backups has a proven one within minutes', {
      timeout: 6 * MINUTES,
    }, async () => {
      const began = performance.now();
      await bench.create(NAME, { ...shape, postgresql: { version: bench.version }, numberOfInstances: 2 });
      const good = await eventually('BackupHealthy', 5 * MINUTES, async () => {
        const found = await health(NAME);
        return found?.status === 'True' && found.message.includes('proven') ? found : undefined;
      });
      figures.provenBackup = (performance.now() - began) / 1000;
      expect(good.message).toContain('members: full backup of');
      await bench.settled(NAME, 2 * MINUTES);
      const platform = await createKubernetesPlatform({ ...access, namespace: bench.namespace });
      cluster = await platform.open({ name: NAME, namespace: bench.namespace }, context.signal);
    });

    test('a backup by hand whose command is killed does not stand in the way of the next', {
      timeout: 4 * MINUTES,
    }, async () => {
      await write('CREATE TABLE filling AS SELECT g, md5(g::text) FROM generate_series(1, 400000) g;');
      const child = spawn(process.execPath, ['src/main.ts', 'backup', NAME, ...inNamespace()], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', chunk => {
        said += String(chunk);
      });
      await eventually('the backup to begin', MINUTES, () => said.includes('full backup of'));
      child.kill('SIGKILL');
      const began = performance.now();
      const { results } = await runBackup(cluster, { type: 'incremental', lockWaitMs: MINUTES }, context);
      figures.afterKill = (performance.now() - began) / 1000;
      expect(results).toMatchObject([{ repository: 'members', ok: true, set: { type: 'incremental' } }]);
    });

    test('the newest backup is proven by a restore in a pod of its own, which goes', {
      timeout: 4 * MINUTES,
    }, async () => {
      await using _lock = await cluster.backups.lock('verify', { waitMs: MINUTES, signal: context.signal });
      const began = performance.now();
      const proofs = await verifyBackups(cluster, { repository: undefined, backup: undefined }, context);
      figures.verify = (performance.now() - began) / 1000;
      expect(proofs).toMatchObject([{ repository: 'members', outcome: 'proven', problems: [] }]);
      expect(await cluster.restores.scratches()).toEqual([]);
    });

    test('a restore to a moment has what was committed before, and not what came after', {
      timeout: 4 * MINUTES,
    }, async () => {
      await write("CREATE TABLE marks AS SELECT 'before' AS what;");
      before = (
        await write('SELECT to_char(now() AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\');')
      ).trim();
      await write("INSERT INTO marks VALUES ('after');");
      await using _lock = await cluster.backups.lock('restore', { waitMs: MINUTES, signal: context.signal });
      const wish = { target: { kind: 'time', at: before }, backup: undefined, from: undefined } as const;
      const { scratch } = await restoreBeside(cluster, { ...wish, purpose: 'restore' }, context);
      await using session = await scratch.session('app', context.signal);
      expect(await session.query('SELECT what FROM marks')).toEqual([{ what: 'before' }]);
      await cluster.restores.discard(scratch.id, context.signal);
    });

    test('single tables come back into the running cluster, all or nothing, and nothing else stays', {
      timeout: 8 * MINUTES,
    }, async () => {
      const digest = (table: string) =>
        `SELECT count(*), md5(string_agg(t::text, '' ORDER BY g)) AS sum FROM ${table} t`;
      const filling = await admin(digest('filling'));
      const chosen = ['--table', 'app.public.filling', '--table', 'app.public.marks'];
      const words = ['restore', NAME, '--to', before, ...chosen, '--into', 'rescued'];
      const began = performance.now();
      const { stdout } = await pgherd(...words);
      figures.tables = (performance.now() - began) / 1000;
      expect(stdout).toContain('app.rescued.filling: 400000 rows, beside public.filling');
      expect(await admin(digest('rescued.filling'))).toEqual(filling);
      expect(await admin('SELECT what FROM rescued.marks')).toEqual([{ what: 'before' }]);
      // What is there is not touched, and refused before anything is restored.
      await expect(pgherd(...words)).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining('already: nothing was touched'),
      });
      // Between the check and the copy something comes into the way of the second table.
      await admin('DROP SCHEMA rescued CASCADE;');
      const late = spawn(process.execPath, ['src/main.ts', ...words, ...inNamespace()], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      late.stderr.on('data', chunk => {
        said += String(chunk);
      });
      const ended = new Promise<number | null>(resolve => late.on('close', resolve));
      await eventually('the replay', 3 * MINUTES, () => (said.includes('waiting for') ? true : undefined));
      await admin('CREATE SCHEMA rescued; CREATE TABLE rescued.marks AS SELECT 1 AS other;');
      expect(await ended).toBe(1);
      expect(said).toContain('nothing of them was');
      expect(await admin(gone)).toEqual([{ gone: true }]);
      expect(await admin('SELECT other FROM rescued.marks')).toEqual([{ other: 1 }]);
      await admin('DROP SCHEMA rescued CASCADE;');
      expect(await cluster.restores.scratches()).toEqual([]);
    });

    test('a table whose command is interrupted while it comes is not there, and leaves nothing', {
      timeout: 4 * MINUTES,
    }, async () => {
      const words = ['restore', NAME, '--to', before, '--table', 'app.public.filling', '--into', 'rescued'];
      const child = spawn(process.execPath, ['src/main.ts', ...words, ...inNamespace()], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', chunk => {
        said += String(chunk);
      });
      const ended = new Promise<number | null>(resolve => child.on('close', resolve));
      await eventually('the table to come', 3 * MINUTES, () =>
        said.includes('bringing') ? true : undefined,
      );
      child.kill('SIGINT');
      expect(await ended).toBe(130);
      expect(await cluster.restores.scratches()).toEqual([]);
      const left = await eventually('the load to be ended', MINUTES, async () => {
        const [loads] = await admin("SELECT FROM pg_stat_activity WHERE application_name = 'pg_restore'");
        return loads === undefined ? await admin(gone) : undefined;
      });
      expect(left).toEqual([{ gone: true }]);
    });

    test('a clone as of that moment is a cluster of its own, and is backed up', {
      timeout: 6 * MINUTES,
    }, async () => {
      const began = performance.now();
      const timestamp = before.replace(/Z$/, '+00:00');
      const clone = { cluster: NAME, timestamp };
      await bench.create('twin', {
        ...shape,
        postgresql: { version: bench.version },
        numberOfInstances: 1,
        clone,
      });
      await bench.settled('twin', 4 * MINUTES);
      figures.clone = (performance.now() - began) / 1000;
      const rows = await bench.sqlThroughService('twin', 'twin-0', 'app', 'app', 'SELECT what FROM marks;');
      expect(rows).toBe('before');
      await eventually('the backup of the clone', 3 * MINUTES, async () =>
        (await health('twin'))?.status === 'True' ? true : undefined,
      );
    });

    test('a restore takes the place of the data, although its command is killed between', {
      timeout: 10 * MINUTES,
    }, async () => {
      await admin('CREATE TABLE later AS SELECT 1 AS x');
      {
        const waiting = { waitMs: MINUTES, signal: context.signal };
        await using _lock = await cluster.backups.lock('restore', waiting);
        const wish = { target: { kind: 'time', at: before }, backup: undefined, from: undefined } as const;
        await restoreBeside(cluster, { ...wish, purpose: 'restore' }, context);
      }
      const child = spawn(process.execPath, ['src/main.ts', 'restore', NAME, '--cutover', ...inNamespace()], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', chunk => {
        said += String(chunk);
      });
      await eventually('the servers to be stopped', 3 * MINUTES, () =>
        said.includes('setting the old data aside') ? true : undefined,
      );
      child.kill('SIGKILL');
      const began = performance.now();
      expect((await cluster.restores.unfinishedSwap())?.purpose).toBe('restore');
      await eventually('the operator to finish it', 5 * MINUTES, async () =>
        (await cluster.restores.unfinishedSwap()) === undefined ? true : undefined,
      );
      figures.cutoverAfterKill = (performance.now() - began) / 1000;
      expect(await admin('SELECT what FROM marks')).toEqual([{ what: 'before' }]);
      expect(await admin("SELECT to_regclass('later') IS NULL AS gone")).toEqual([{ gone: true }]);
      await bench.settled(NAME, 4 * MINUTES);
      // The passwords are those of the Secrets.
      expect(await write('SELECT what FROM marks;')).toBe('before');
      expect(await cluster.restores.scratches()).toEqual([]);
      const { aside } = await cluster.backups.observe({ archive: false }, context.signal);
      expect(aside).toHaveLength(2);
      await using _lock = await cluster.backups.lock('sweep', { waitMs: MINUTES, signal: context.signal });
      expect(await cluster.restores.sweep(new Date())).toEqual([]);
      const nextWeek = new Date(Date.now() + 8 * 86_400_000);
      expect(await cluster.restores.sweep(nextWeek)).toEqual(aside?.map(({ path }) => path));
      const after = await cluster.backups.observe({ archive: false }, context.signal);
      expect(after.aside).toEqual([]);
    });
  },
);
