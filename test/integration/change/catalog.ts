import { describe, expect, it } from 'vitest';
import { sqlstate } from '../../support/sql.ts';
import type { Editable } from '../change.integration.test.ts';

export function catalogTests({ cluster, edited }: Editable): void {
  const more = {
    users: { bauer: ['createdb'], lehrer: ['createrole'], gast: ['nologin'] },
    databases: { firmendaten: 'bauer', schulbuch: 'lehrer' },
    preparedDatabases: {
      lager: { defaultUsers: true, extensions: { pgcrypto: 'public' }, schemas: { daten: {} } },
    },
  };

  describe('users and databases', () => {
    it('are added as planned, with passwords that work through the pooler at once', async () => {
      const before = cluster.servers();
      const file = edited({ spec: more });
      const plan = await cluster.plan(file);
      // More databases share the pooler's connections: it reads its file again.
      const kinds = new Set(plan.steps.map(step => `${step.kind} ${step.impact}`));
      expect([...kinds].filter(kind => !/^(change-catalog|reload) none$/.test(kind))).toEqual([]);
      const { steps } = await cluster.up(file);
      expect(steps.map(step => step.summary)).toEqual(plan.steps.map(step => step.summary));
      {
        await using sql = await cluster.connect('pooler', { user: 'lehrer', database: 'schulbuch' });
        await sql.rows('CREATE TABLE kapitel ()');
        expect(
          await sql.value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'schulbuch'"),
        ).toBe('lehrer');
      }
      await using sql = await cluster.connect('primary');
      const flags = 'SELECT rolcreatedb, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = $1';
      expect(await sql.rows(flags, ['bauer'])).toEqual([
        { rolcreatedb: true, rolcreaterole: false, rolcanlogin: true },
      ]);
      expect(await sql.rows(flags, ['lehrer'])).toEqual([
        { rolcreatedb: false, rolcreaterole: true, rolcanlogin: true },
      ]);
      expect(await sql.rows(flags, ['gast'])).toMatchObject([{ rolcanlogin: false }]);
      expect(await cluster.plan(file)).toMatchObject({ changes: false });
      expect(cluster.servers()).toEqual(before);
    });

    it('of a prepared database: the owner makes tables, the writer writes, the reader reads, no more', async () => {
      const login = (part: string) => ({ user: `lager_${part}_user`, database: 'lager' });
      {
        await using owner = await cluster.connect('pooler', login('owner'));
        await owner.rows('CREATE TABLE daten.bestand (id serial, menge int)');
        expect(await owner.value("SELECT encode(public.digest('x', 'sha256'), 'hex')")).toHaveLength(64);
      }
      {
        await using writer = await cluster.connect('pooler', login('writer'));
        await writer.rows('INSERT INTO daten.bestand (menge) VALUES (7)');
        expect(await writer.rows('CREATE TABLE daten.fremd ()').catch(sqlstate)).toBe('42501');
      }
      await using reader = await cluster.connect('pooler', login('reader'));
      expect(await reader.value('SELECT menge FROM daten.bestand')).toBe(7);
      expect(await reader.rows('DELETE FROM daten.bestand').catch(sqlstate)).toBe('42501');
    });

    it('lose flags that the manifest does not name any more, and nothing that is taken out of it', async () => {
      const file = edited({
        spec: { ...more, users: { bauer: [], lehrer: [] }, preparedDatabases: undefined },
      });
      await cluster.up(file);
      await using sql = await cluster.connect('primary');
      const roles = await sql.rows(
        "SELECT rolname FROM pg_roles WHERE (rolcreatedb OR rolcreaterole) AND rolname IN ('bauer', 'lehrer')",
      );
      expect(roles).toEqual([]);
      const databases = await sql.rows(
        "SELECT datname FROM pg_database WHERE datname IN ('lager', 'schulbuch')",
      );
      expect(databases).toHaveLength(2);
      expect(await sql.value("SELECT count(*)::int FROM pg_roles WHERE rolname = 'gast'")).toBe(1);
      expect(await cluster.plan(file)).toMatchObject({ changes: false });
    });

    it('that an administrator gave a password of his own keep it', async () => {
      const users = { bauer: ['createdb'], lehrer: [] };
      await using admin = await cluster.connect('primary');
      await admin.rows("ALTER ROLE bauer PASSWORD 'eigenes-passwort'");
      try {
        await cluster.up(edited({ spec: { ...more, users } }));
        const login = { user: 'bauer', database: 'firmendaten', password: 'eigenes-passwort' };
        await using sql = await cluster.connect('primary', login);
        expect(await sql.value('SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user')).toBe(true);
      } finally {
        await admin.rows(`ALTER ROLE bauer PASSWORD '${await cluster.password('bauer')}'`);
      }
    });
  });
}
