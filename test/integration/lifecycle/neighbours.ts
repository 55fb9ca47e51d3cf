/** Several clusters beside each other on one machine. */
import { describe, expect, it } from 'vitest';
import type { ListDocument } from '../../../src/cli/schema.ts';
import { Cluster } from '../../support/cluster.ts';
import { manifest } from '../../support/manifest.ts';
import { eventually, WITHIN } from '../../support/poll.ts';
import { Sql, sqlstate } from '../../support/sql.ts';

export function neighbourTests(cluster: Cluster): void {
  const { sandbox, name } = cluster;
  const other = new Cluster(sandbox, 'nachbar');
  const twin = new Cluster(sandbox, name, 'schule');
  const login = { user: 'bauer', database: 'firmendaten' };

  describe('several clusters', () => {
    it('run side by side, by different names and by namespaces, each with data of its own', async () => {
      const file = sandbox.file('nachbar.yaml', manifest({ name: other.name }));
      const twinFile = sandbox.file('zwilling.yaml', manifest({ name, namespace: 'schule' }));
      await Promise.all([other.up(file), twin.up(twinFile)]);
      const { clusters } = await sandbox.json<ListDocument>(['list']);
      const names = clusters.map(entry => `${entry.namespace}/${entry.cluster} ${entry.verdict}`);
      expect(names).toEqual([`default/${name} healthy`, 'default/nachbar healthy', `schule/${name} healthy`]);
      const all = [cluster, other, twin];
      for (const one of all) {
        await using sql = await one.connect('primary', login);
        await sql.rows(`CREATE TABLE "in ${one.namespace} ${one.name}" ()`);
      }
      for (const one of all) {
        await using sql = await one.connect('primary', login);
        const rows = await sql.rows("SELECT relname FROM pg_class WHERE relname LIKE 'in %'");
        expect(rows).toEqual([{ relname: `in ${one.namespace} ${one.name}` }]);
      }
      const hosts = await Promise.all(all.map(async one => (await one.status()).endpoints.primary?.host));
      expect(new Set(hosts).size).toBe(3);
    });

    it('of which one is alone promise what one instance can hold', async () => {
      const status = await other.status();
      expect(status).toMatchObject({ verdict: 'healthy', promise: { mode: 'single' } });
      expect(status.lossIfPrimaryDied.possible).toBe(true);
    });

    it('do not trust each other', async () => {
      const target = await other.target('primary', login);
      await (await Sql.open(target))[Symbol.asyncDispose]();
      expect(await Sql.open({ ...target, tls: cluster.ca }).catch(sqlstate)).toMatch(/SIGNATURE|SELF_SIGNED/);
      const password = await cluster.password('bauer');
      expect(await Sql.open({ ...target, password }).catch(sqlstate)).toBe('28P01');
    });

    it('of the same name want the namespace said', async () => {
      const { exitCode, error } = await sandbox.failure(['status', name]);
      expect(exitCode).toBe(2);
      expect(error.message).toContain('default, schule');
      expect(error.hint).toContain('-n ');
    });

    it('are not touched when another one is destroyed or stopped', async () => {
      const before = cluster.servers().filter(server => server.includes(`${cluster.root}/`));
      await sandbox.json(['destroy', name, '-n', 'schule', '--yes-destroy', name]);
      await sandbox.json(['down', other.name]);
      await sandbox.json(['destroy', other.name, '--yes-destroy', other.name]);
      expect(cluster.servers().filter(server => server.includes(`${cluster.root}/`))).toEqual(before);
      // A look on a busy machine may find a standby that has just fallen behind.
      await eventually('the one that is left to be healthy', WITHIN.notice, async () => {
        const { clusters } = await sandbox.json<ListDocument>(['list']);
        return clusters.length === 1 && clusters[0]?.verdict === 'healthy';
      });
    });
  });
}
