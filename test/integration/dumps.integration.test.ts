/** Logical backups: what they hold, when they are taken, what interrupts them, and that they restore. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackupsDocument, DumpDocument } from '../../src/cli/backups/schema.ts';
import type { EventsDocument } from '../../src/cli/schema.ts';
import { keeperOf } from '../faults/support/servers.ts';
import { explain } from '../support/command.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { isAlive, kill, processesOf } from '../support/processes.ts';
import { noSamba, Share } from '../support/samba.ts';
import { integration } from '../support/sandbox.ts';
import { DumpRig, LOGIN, NAME } from './dumps/rig.ts';

/** Names that file systems, shells and connection strings do not like. */
const AWKWARD = `Größe/'x\\ y`;

integration('logical backups', sandbox => {
  const rig = new DumpRig(sandbox);
  const { cluster } = rig;

  describe('a dump', () => {
    it('that was missed is taken once, with every database and the roles', async () => {
      await rig.up({});
      await using sql = await cluster.connect('primary', LOGIN);
      await sql.rows('CREATE TABLE kunden (id int PRIMARY KEY, name text)');
      await sql.rows("INSERT INTO kunden SELECT g, 'Kunde ' || g FROM generate_series(1, 5000) g");
      rig.tool('psql', ['-XqAtc', `CREATE DATABASE "${AWKWARD.replaceAll('"', '""')}"`]);
      expect(await rig.chores()).toEqual([]);
      await rig.missARun();
      const [chore, ...more] = await rig.chores();
      expect(chore).toMatchObject({
        kind: 'dump',
        failure: null,
        reason: expect.stringContaining('missed at'),
      });
      expect(more).toEqual([]);
      expect(await rig.chores()).toEqual([]);
      const { contents } = rig.latest;
      expect(contents).toMatchObject({ cluster: NAME, namespace: 'default', format: 'custom' });
      expect(contents.files.map(({ holds, database }) => [holds, database])).toEqual([
        ['globals', undefined],
        ['database', AWKWARD],
        ['database', 'firmendaten'],
        ['database', 'postgres'],
      ]);
      const firm = contents.files.find(({ database }) => database === 'firmendaten');
      expect(firm).toMatchObject({ owner: 'bauer', encoding: 'UTF8', tables: 1, file: 'firmendaten.dump' });
    });

    it('is readable for its owner only, and its checksums hold', () => {
      const { path, contents } = rig.latest;
      for (const file of ['manifest.json', 'SHA256SUMS', ...contents.files.map(({ file }) => file)])
        expect(statSync(join(path, file)).mode & 0o777, file).toBe(0o600);
      expect(statSync(path).mode & 0o777).toBe(0o700);
      const checked = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: path, encoding: 'utf8' });
      expect(checked.trim().split('\n')).toHaveLength(contents.files.length);
    });

    it('restores with pg_restore into an empty database', async () => {
      rig.tool('createdb', ['-O', 'bauer', 'neu']);
      rig.tool('pg_restore', ['--exit-on-error', '-d', 'neu', join(rig.latest.path, 'firmendaten.dump')]);
      await using sql = await cluster.connect('primary', { ...LOGIN, database: 'neu' });
      expect(await sql.value('SELECT count(*)::int FROM kunden')).toBe(5000);
    });

    it('is taken on demand as well, and listed', async () => {
      const made = await sandbox.json<DumpDocument>(['backup', NAME, '--logical']);
      expect(made).toMatchObject({ expired: [], notExpired: null, dump: { own: true, format: 'custom' } });
      const { dumps } = await sandbox.json<BackupsDocument>(['backups', NAME]);
      expect(dumps).toMatchObject({ directory: rig.share, enabled: true, problem: null });
      expect(dumps?.dumps.map(({ id }) => id)).toEqual(rig.ids);
      expect(rig.ids).toContain(made.dump.id);
    });

    it('is refused beside what it has nothing to do with', async () => {
      const { exitCode, error } = await sandbox.failure(['backup', NAME, '--logical', '--repo', 'nas']);
      expect(exitCode).toBe(2);
      expect(error.code).toBe('usage');
    });

    it('is in the journal', async () => {
      const { events } = await sandbox.json<EventsDocument>(['events', NAME]);
      const done = events.filter(({ event }) => event === 'dump-done');
      expect(done).toMatchObject([{ actor: 'keeper' }, { actor: 'backup' }]);
    });
  });

  describe('a dump as SQL', () => {
    it('brings back what was deleted, by psql -f', async () => {
      await rig.up({ format: 'plain' });
      await rig.missARun();
      expect(await rig.chores()).toMatchObject([{ kind: 'dump', failure: null }]);
      await using sql = await cluster.connect('primary', LOGIN);
      await sql.rows('DELETE FROM kunden WHERE id > 7');
      await sql.rows('ALTER TABLE kunden ADD COLUMN falsch int');
      const file = join(rig.latest.path, 'firmendaten.sql');
      rig.tool('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', '-d', 'firmendaten', '-f', file]);
      expect(await sql.value('SELECT count(*)::int FROM kunden')).toBe(5000);
      const columns = await sql.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'kunden'::regclass AND attnum > 0",
      );
      expect(columns.map(({ attname }) => attname)).toEqual(['id', 'name']);
    });

    it('restores in an empty cluster: roles first, then each database', async () => {
      rig.tool('createdb', ['leer']);
      const globals = readFileSync(join(rig.latest.path, 'globals.sql'), 'utf8');
      expect(globals).toContain('CREATE ROLE bauer');
      expect(globals).toContain('SCRAM-SHA-256');
      rig.tool('psql', [
        '-Xq',
        '-v',
        'ON_ERROR_STOP=1',
        '-d',
        'leer',
        '-f',
        join(rig.latest.path, 'firmendaten.sql'),
      ]);
      expect(rig.tool('psql', ['-XAtd', 'leer', '-c', 'SELECT count(*) FROM kunden']).trim()).toBe('5000');
    });

    it.skipIf(noSamba !== undefined)('is read over SMB as it was written', async () => {
      await using share = await Share.open(rig.share, join(sandbox.root, 'samba'));
      const { path, contents } = rig.latest;
      const remote = path.slice(rig.share.length + 1);
      const local = join(sandbox.root, 'files', 'fetched');
      for (const { file } of contents.files) {
        share.fetch(`${remote}/${file}`, local);
        expect(readFileSync(local).equals(readFileSync(join(path, file))), file).toBe(true);
      }
    });
  });

  describe('retention', () => {
    it('deletes what is older, but nothing of another cluster, and nothing that is no dump', async () => {
      await rig.up({ retention: '3 days' });
      const { path, contents } = rig.latest;
      const source = join(sandbox.root, 'files', 'source');
      cpSync(path, source, { recursive: true });
      await rig.missARun();
      const forge = (id: string, uid = contents.uid) => {
        const copy = join(rig.directory, id);
        cpSync(source, copy, { recursive: true });
        writeFileSync(join(copy, 'manifest.json'), JSON.stringify({ ...contents, id, uid }));
      };
      forge('2020-01-01T02-00-00Z');
      forge('2020-01-02T02-00-00Z', 'another-cluster');
      cpSync(source, join(rig.directory, 'aufheben'), { recursive: true });
      expect(await rig.chores()).toMatchObject([{ kind: 'dump', failure: null }]);
      expect(rig.entries).not.toContain('2020-01-01T02-00-00Z');
      expect(rig.entries).toContain('2020-01-02T02-00-00Z');
      expect(rig.entries).toContain('aufheben');
    });
  });

  describe('a place that is not fit', () => {
    it('because it is not there is named, and the dump is tried again later', async () => {
      await rig.missARun();
      renameSync(rig.share, `${rig.share}-away`);
      try {
        const [chore] = await rig.chores();
        expect(chore?.failure).toContain(`${rig.share} is not there`);
        expect(await rig.chores()).toEqual([]);
        expect(existsSync(rig.share)).toBe(false);
        const { verdict, reasons } = await cluster.status();
        expect(verdict).toBe('degraded');
        expect(reasons.join()).toContain('the logical backup failed at');
      } finally {
        renameSync(`${rig.share}-away`, rig.share);
      }
    });

    it('because the share is not mounted is named: nothing is written beside it', async () => {
      await rig.missARun();
      const memory = join(cluster.root, 'backups', 'memory', 'dump-place.json');
      const known = readFileSync(memory, 'utf8');
      writeFileSync(memory, JSON.stringify({ directory: rig.share, fileSystem: 'cifs' }));
      const before = rig.entries;
      const [chore] = await rig.chores();
      expect(chore?.failure).toMatch(/was on cifs at the last dump and is on \w+/);
      expect(rig.entries).toEqual(before);
      writeFileSync(memory, known);
    });
  });

  describe('interrupted', () => {
    /** pg_dump waits for a table that somebody has locked, as long as `work` takes. */
    async function whileDumpWaits(work: () => Promise<void>): Promise<void> {
      await using locker = await cluster.connect('primary', LOGIN);
      await locker.rows('BEGIN');
      await locker.rows('LOCK TABLE kunden IN ACCESS EXCLUSIVE MODE');
      await work();
      await locker.rows('ROLLBACK');
    }
    const dumping = () => processesOf(sandbox.stateDir).filter(({ name }) => name === 'pg_dump');
    const partial = () => rig.entries.filter(name => name.startsWith('.partial-'));

    it('by kill -9: nothing is listed, its tool ends, the next one tidies up', async () => {
      await rig.missARun();
      const before = rig.ids;
      await whileDumpWaits(async () => {
        const run = sandbox.start(['chores', NAME]);
        await eventually('pg_dump to run', WITHIN.notice, () => dumping().length > 0);
        run.child.kill('SIGKILL');
        await run.finished;
        await eventually('pg_dump to end', WITHIN.exit, () => dumping().length === 0);
      });
      expect(rig.ids).toEqual(before);
      expect(partial()).toHaveLength(1);
      expect(await rig.chores()).toEqual([]);
      rig.remember(memory => {
        for (const run of Object.values(memory.runs)) run.started = '2020-01-01T00:00:00Z';
      });
      expect(await rig.chores()).toMatchObject([{ kind: 'dump', failure: null }]);
      expect(partial()).toEqual([]);
      expect(rig.ids).toHaveLength(before.length + 1);
    });

    it('by Ctrl-C: what was written is taken back', async () => {
      await rig.missARun();
      await whileDumpWaits(async () => {
        const run = sandbox.start(['chores', NAME]);
        await eventually('pg_dump to run', WITHIN.notice, () => dumping().length > 0);
        run.child.kill('SIGINT');
        const result = await run.finished;
        expect(result.exitCode, explain(result)).toBe(130);
      });
      expect(rig.entries.filter(name => name.startsWith('.'))).toEqual([]);
      expect(rig.ids).toEqual([]);
      // Nobody is to blame: it is due at once.
      expect(await rig.chores()).toMatchObject([{ kind: 'dump', failure: null }]);
    });

    it('by `down`: the control plane ends its work first', async () => {
      await rig.up({ schedule: '* * * * *', watches: true });
      const keeper = await keeperOf(cluster);
      kill(keeper);
      await eventually(
        'the next control plane',
        WITHIN.notice,
        async () => (await keeperOf(cluster)).pid !== keeper.pid,
      );
      await whileDumpWaits(async () => {
        await eventually('the control plane to dump', 120_000, () => dumping().length > 0);
        const chores = processesOf(sandbox.stateDir).filter(({ command }) =>
          command.includes(` chores ${NAME}`),
        );
        expect(chores.length).toBeGreaterThan(0);
        await sandbox.json(['down', NAME]);
        expect(chores.filter(isAlive)).toEqual([]);
      }).catch((error: unknown) => {
        // The session that held the lock ends with its server.
        if (!/terminat|closed|57P01|not queryable/.test(String(error))) throw error;
      });
      expect(partial()).toEqual([]);
    });
  });

  it('the control plane takes one when it is due', async () => {
    await rig.up({ schedule: '* * * * *', watches: true });
    const before = rig.ids.length;
    await eventually('a dump by the control plane', 150_000, () => rig.ids.length > before);
    const { events } = await sandbox.json<EventsDocument>(['events', NAME]);
    expect(events.at(-1)).toMatchObject({ actor: 'keeper', event: expect.stringMatching(/^dump-/) });
  });
});
