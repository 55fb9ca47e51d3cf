/** Databases out of logical backups, with the real tools. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RestoreDocument } from '../../src/cli/restore/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { manifest } from '../support/manifest.ts';
import { integration } from '../support/sandbox.ts';
import { filesOf, flip } from './restore/damage.ts';

integration('restore --dump', sandbox => {
  const cluster = new Cluster(sandbox, 'dumped');
  const share = join(sandbox.root, 'share');
  const login = { database: 'firmendaten' };

  beforeAll(async () => {
    mkdirSync(share, { mode: 0o777 });
    const spec = { enableLogicalBackup: true, backup: { repositories: [], logical: { directory: share } } };
    await cluster.up(sandbox.file('dumped.yaml', manifest({ name: 'dumped', spec })));
    await using sql = await cluster.connect('primary', login);
    await sql.rows('CREATE ROLE leser NOLOGIN');
    await sql.rows('CREATE TABLE noten AS SELECT generate_series(1, 1000) AS id');
    await sql.rows('ALTER TABLE noten OWNER TO bauer');
    await sql.rows('GRANT SELECT ON noten TO leser');
    await sandbox.run(['backup', 'dumped', '--logical']);
  });

  describe('loads a database', () => {
    it('beside the one in use', async () => {
      const words = ['restore', 'dumped', '--dump', '--database', 'firmendaten', '--into', 'alt'];
      const { loaded } = await sandbox.json<RestoreDocument>(words);
      expect(loaded?.databases).toEqual([{ name: 'firmendaten', into: 'alt', tables: 1 }]);
      await using sql = await cluster.connect('primary', { database: 'alt', user: 'bauer' });
      expect(await sql.value('SELECT count(*)::int FROM noten')).toBe(1000);
    });

    it('in its own place once it is gone, with roles that are missing', async () => {
      {
        await using sql = await cluster.connect('primary');
        await sql.rows('DROP DATABASE alt WITH (FORCE)');
        await sql.rows('DROP DATABASE firmendaten WITH (FORCE)');
        await sql.rows('DROP ROLE leser');
      }
      await sandbox.json<RestoreDocument>(['restore', 'dumped', '--dump', '--database', 'firmendaten']);
      await using sql = await cluster.connect('primary', { ...login, user: 'bauer' });
      expect(await sql.value('SELECT count(*)::int FROM noten')).toBe(1000);
      expect(await sql.value("SELECT has_table_privilege('leser', 'noten', 'SELECT')")).toBe(true);
    });
  });

  describe('refuses', () => {
    it('a database that has tables', async () => {
      const { error, exitCode } = await sandbox.failure([
        'restore',
        'dumped',
        '--dump',
        '--database',
        'firmendaten',
      ]);
      expect({ code: error.code, exitCode }).toEqual({ code: 'database-not-empty', exitCode: 2 });
    });

    it('a dump that is not there', async () => {
      const { error } = await sandbox.failure(['restore', 'dumped', '--dump', '2020-01-01T00-00-00Z']);
      expect(error.code).toBe('no-such-dump');
    });

    it('a damaged one, and names the file', async () => {
      const [file] = filesOf(share, /firmendaten\.dump$/);
      execFileSync('cp', ['--archive', file ?? '', `${share}/whole`]);
      flip(file ?? '');
      const words = ['restore', 'dumped', '--dump', '--database', 'firmendaten', '--into', 'neu'];
      const { error } = await sandbox.failure(words);
      execFileSync('cp', ['--archive', `${share}/whole`, file ?? '']);
      expect(error.code).toBe('dump-damaged');
      expect(error.detail).toContain('firmendaten.dump');
      await using sql = await cluster.connect('primary');
      expect(await sql.rows("SELECT FROM pg_database WHERE datname = 'neu'")).toEqual([]);
    });
  });
});
