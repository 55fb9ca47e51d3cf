/** The user's own manifest, brought up once with the real servers, and looked at from every side. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { UpDocument } from '../../src/cli/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { ROOT } from '../support/command.ts';
import { integration } from '../support/sandbox.ts';
import { clientTests } from './up/clients.ts';
import { commandTests } from './up/commands.ts';
import { securityTests } from './up/security.ts';

const MANIFEST = join(ROOT, 'examples', 'wichtige-daten-3.yaml');

integration("up with the user's manifest", sandbox => {
  const cluster = new Cluster(sandbox, 'wichtige-daten-3');
  let created: UpDocument;

  beforeAll(async () => {
    created = await cluster.up(MANIFEST, [], { launcher: true });
  });

  describe('the cluster', () => {
    it('is created whole: one primary, two streaming standbys, four endpoints', async () => {
      expect(created).toMatchObject({ schema: 1, cluster: cluster.name, created: true, changed: true });
      const { members, verdict, reasons } = await cluster.status();
      const states = members.map(({ role, state }) => `${role} ${state}`).sort();
      expect(states).toEqual(['primary running', 'standby streaming', 'standby streaming']);
      expect({ verdict, reasons }).toEqual({ verdict: 'healthy', reasons: [] });
      expect(created.verdict).toBe('healthy');
      const ports = Object.values(created.endpoints).map(address => address?.port);
      expect(ports).toEqual([5432, 5433, 6432, 6433]);
    });

    it('carries out each step once', () => {
      const summaries = created.steps.map(step => step.summary);
      expect(summaries.filter((summary, n) => summaries.indexOf(summary) !== n)).toEqual([]);
    });

    it('replicates to both standbys, as the primary itself sees it, one of them synchronous', async () => {
      await using sql = await cluster.connectMember(await cluster.primary());
      const rows = await sql.rows('SELECT application_name, state, sync_state FROM pg_stat_replication');
      expect(rows.map(row => row.state)).toEqual(['streaming', 'streaming']);
      expect(rows.map(row => row.sync_state).sort()).toEqual(['async', 'sync']);
    });

    it('has the database and the role of the manifest', async () => {
      await using sql = await cluster.connect('primary');
      const [database] = await sql.rows(
        "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'firmendaten'",
      );
      expect(database).toEqual({ owner: 'bauer' });
      const [role] = await sql.rows(
        "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = 'bauer'",
      );
      expect(Object.values(role ?? {})).toEqual([true, false, false, false, false, false]);
    });

    it('takes writes at the primary endpoint and the pooler, and shows them on both standby endpoints', async () => {
      const login = { user: 'bauer', database: 'firmendaten' };
      {
        await using sql = await cluster.connect('primary', login);
        await sql.rows('CREATE TABLE kunden (name text)');
        await sql.rows("INSERT INTO kunden VALUES ('Huber')");
      }
      {
        await using sql = await cluster.connect('pooler', login);
        await sql.rows("INSERT INTO kunden VALUES ('Maier')");
      }
      for (const endpoint of ['standby', 'poolerStandby'] as const) {
        await using sql = await cluster.connect(endpoint, login);
        await expect.poll(() => sql.value('SELECT count(*)::int FROM kunden')).toBe(2);
      }
    });

    it('says that another major version than the wanted one is used', async () => {
      const status = await cluster.status();
      if (status.version.startsWith('16')) return;
      const sentence = new RegExp(`^PostgreSQL ${Number.parseInt(status.version, 10)} instead of 16`, 'm');
      expect(created.notes.join('\n')).toMatch(sentence);
      expect(status.notes.join('\n')).toMatch(sentence);
      await using sql = await cluster.connect('primary');
      expect(await sql.value('SHOW server_version')).toContain(status.version);
    });

    it('warns of the range that lets everybody in', () => {
      const codes = created.warnings.map(({ code, line }) => `${line} ${code}`);
      expect(codes).toContain('29 open-to-all');
    });
  });

  securityTests(cluster);
  clientTests(cluster);
  commandTests(cluster, MANIFEST);

  describe('a second up', () => {
    it('does nothing: no step, no server started again', async () => {
      const before = cluster.servers();
      const again = await cluster.up(MANIFEST);
      expect(again).toMatchObject({ created: false, changed: false, steps: [], verdict: 'healthy' });
      expect(cluster.servers()).toEqual(before);
    });

    it('is foreseen by plan', async () => {
      const plan = await cluster.plan(MANIFEST);
      expect(plan).toMatchObject({ changes: false, creates: false, steps: [], waiting: [] });
    });
  });
});
