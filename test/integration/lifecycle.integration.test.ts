/** From the first `up` to `destroy`, with everything that may come in between. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { DownDocument, ListDocument, UpDocument } from '../../src/cli/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { explain } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { kill, killAllOf, processesOf, serversOf } from '../support/processes.ts';
import { integration } from '../support/sandbox.ts';
import { audit, prepareLedger, Writer } from '../support/writer.ts';
import { neighbourTests } from './lifecycle/neighbours.ts';

const LOGIN = { user: 'bauer', database: 'firmendaten' };
const POOLERS = { enableConnectionPooler: true, enableReplicaConnectionPooler: true };

integration('the life of a cluster', sandbox => {
  const cluster = new Cluster(sandbox, 'leben');
  const text = manifest({ name: 'leben', instances: 2, spec: POOLERS });
  const file = sandbox.file('leben.yaml', text);
  /** One of everything: PgBouncer runs as one process per pooler, or as two where it can pass on cancel requests. */
  const complete = {
    tini: 1,
    etcd: 3,
    postgres: 2,
    pgbouncer: expect.toSatisfy((n: number) => n === 2 || n === 4),
  };

  describe('up', () => {
    it('twice at once makes one cluster; who will not wait is told who holds it', async () => {
      const words = ['up', file, '--timeout', '100s', '--output', 'json'];
      const first = sandbox.start(words);
      await eventually('the first up to take the lock', WITHIN.notice, () =>
        existsSync(join(cluster.root, 'lock.holder')),
      );
      const second = sandbox.start([...words, '--lock-wait', '100s']);
      const impatient = await sandbox.failure(['up', file, '--lock-wait', '0s']);
      expect(impatient.error).toMatchObject({ code: 'locked' });
      expect(impatient.error.message).toMatch(
        new RegExp(`up \\(pid (${first.child.pid}|${second.child.pid})\\b`),
      );
      const results = [await first.finished, await second.finished];
      const made = results.map(result => {
        expect(result.exitCode, explain(result)).toBe(0);
        return (JSON.parse(result.stdout) as UpDocument).created;
      });
      expect(made.filter(Boolean)).toEqual([true]);
      expect(cluster.census()).toEqual(complete);
      const { clusters } = await sandbox.json<ListDocument>(['list']);
      expect(clusters).toMatchObject([{ cluster: 'leben', verdict: 'healthy' }]);
    });

    it('gives the control plane back when it is killed, while queries run on', async () => {
      await using sql = await cluster.connect('pooler', LOGIN);
      const query = sql.value("SELECT 'done', pg_sleep(2)");
      const keeper = serversOf(sandbox.stateDir).find(info => info.name === 'node');
      expect(keeper && kill(keeper)).toBe(true);
      expect(await query).toBe('done');
      await eventually('the control plane to be back', WITHIN.notice, () =>
        serversOf(sandbox.stateDir).some(info => info.name === 'node' && info.pid !== keeper?.pid),
      );
      expect((await cluster.status()).controlPlane).toMatchObject({ running: true });
    });

    it('replaces a control plane of older code with the next up', async () => {
      const run = join(sandbox.stateDir, 'services', 'keeper', 'run');
      const keeper = () => serversOf(sandbox.stateDir).find(info => info.name === 'node')?.pid;
      const old = keeper();
      await cluster.up(file);
      expect(keeper(), 'the same code').toBe(old);
      writeFileSync(run, readFileSync(run, 'utf8').replace(/^# Code: .*$/m, '# Code: older'));
      await cluster.up(file);
      expect(keeper()).not.toBe(old);
      expect(keeper()).toBeDefined();
    });
  });

  describe('down and up', () => {
    it('stops every server, keeps the data, and brings them back at the same place', async () => {
      {
        await using sql = await cluster.connect('primary', LOGIN);
        await sql.rows("CREATE TABLE bleibt AS SELECT 'Huber' AS name");
      }
      const { endpoints } = await cluster.status();
      await sandbox.json<DownDocument>(['down', 'leben']);
      expect(processesOf(sandbox.stateDir)).toEqual([]);
      expect(await cluster.status()).toMatchObject({ verdict: 'stopped' });
      expect(await sandbox.json<DownDocument>(['down', 'leben'])).toMatchObject({ cluster: 'leben' });

      const again = await cluster.up(file);
      expect(again).toMatchObject({ created: false, changed: true, verdict: 'healthy', endpoints });
      for (const endpoint of ['primary', 'standby', 'pooler', 'poolerStandby'] as const) {
        await using sql = await cluster.connect(endpoint, LOGIN);
        expect(await sql.value('SELECT name FROM bleibt')).toBe('Huber');
      }
    });

    it('survives a down that was killed in the middle', async () => {
      const down = sandbox.start(['down', 'leben']);
      await delay(1500);
      down.child.kill('SIGKILL');
      await down.finished;
      await cluster.up(file);
      await cluster.whole(2);
      await using sql = await cluster.connect('pooler', LOGIN);
      expect(await sql.value('SELECT name FROM bleibt')).toBe('Huber');
    });
  });

  describe('a reboot', () => {
    it('loses no acknowledged row: everything killed at once, the run directory gone, then up', async () => {
      const target = await cluster.target('pooler', LOGIN);
      await prepareLedger(target);
      const writer = new Writer(target, { workers: 4 });
      await eventually('some writes', WITHIN.notice, () => writer.count > 100);
      const victims = killAllOf(sandbox.stateDir);
      expect(victims.map(({ name }) => name)).toEqual(expect.arrayContaining(['tini', 'etcd', 'postgres']));
      const ledger = await writer.stop();
      rmSync(join(sandbox.stateDir, 'run'), { recursive: true });

      expect(await cluster.status()).toMatchObject({ verdict: 'down' });
      const again = await cluster.up(file);
      expect(again).toMatchObject({ created: false, changed: true });
      await cluster.whole(2);
      expect(ledger.acknowledged.length).toBeGreaterThan(100);
      expect(await audit(target, ledger)).toEqual({ lost: [], phantom: [] });
      expect(cluster.census()).toEqual(complete);
    });
  });

  describe('up killed again and again', () => {
    const second = new Cluster(sandbox, 'zerhackt');
    const secondFile = sandbox.file(
      'zerhackt.yaml',
      manifest({ name: 'zerhackt', instances: 2, spec: POOLERS }),
    );

    it('is finished by the next one, wherever it was', async () => {
      // Spread over its duration: the servers that were started go on in between.
      const moments = [300, 450, 600, 800, 1000, 1400, 2000, 3000].map(ms =>
        Math.round(ms * (0.8 + Math.random() * 0.4)),
      );
      for (const moment of moments) {
        const up = sandbox.start(['up', secondFile]);
        await Promise.race([delay(moment), up.finished]);
        up.child.kill('SIGKILL');
        await up.finished;
      }
      await second.up(secondFile);
      const status = await second.whole(2);
      expect(status.verdict, `killed after ${moments} ms: ${status.reasons}`).toBe('healthy');
      expect(second.census()).toEqual(complete);
      expect(await second.plan(secondFile)).toMatchObject({ changes: false });
      await using sql = await second.connect('pooler', LOGIN);
      await sql.rows('CREATE TABLE t ()');
      const left = readdirSync(second.root).filter(name => /\.(tmp|new|removed)$/.test(name));
      expect(left).toEqual([]);
    });

    it('and destroy as well', async () => {
      const destroy = sandbox.start(['destroy', 'zerhackt', '--yes-destroy', 'zerhackt']);
      await delay(1500);
      destroy.child.kill('SIGKILL');
      await destroy.finished;
      await sandbox.run(['destroy', 'zerhackt', '--yes-destroy', 'zerhackt']);
      expect(processesOf(second.root)).toEqual([]);
      expect(existsSync(second.root)).toBe(false);
    });
  });

  neighbourTests(cluster);

  describe('destroy', () => {
    it('asks for the name, and deletes nothing without it', async () => {
      const before = cluster.servers();
      for (const words of [[], ['--yes-destroy', 'lebn'], ['--yes-destroy', '']]) {
        const { exitCode, error } = await sandbox.failure(['destroy', 'leben', ...words], {
          input: 'leben\n',
        });
        expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'not-confirmed' });
      }
      expect(cluster.servers()).toEqual(before);
    });

    it('deletes everything of the cluster when its name is given', async () => {
      await sandbox.json(['destroy', 'leben', '--yes-destroy', 'leben']);
      expect(processesOf(sandbox.stateDir)).toEqual([]);
      expect(existsSync(cluster.root)).toBe(false);
      expect(await sandbox.json<ListDocument>(['list'])).toMatchObject({ clusters: [] });
      const { error } = await sandbox.failure(['password', 'leben', 'bauer']);
      expect(error.code).toBe('cluster-not-found');
    });
  });
});
