/** Restores with real backups: to a second before a DROP TABLE, out of damaged repositories, onto a bare machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BackupsDocument } from '../../src/cli/backups/schema.ts';
import type { RestoreDocument } from '../../src/cli/restore/schema.ts';
import type { StatusDocument } from '../../src/cli/schema.ts';
import type { VerifyDocument } from '../../src/cli/verify/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { manifest } from '../support/manifest.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { integration } from '../support/sandbox.ts';
import { filesOf, flip, spoiled } from './restore/damage.ts';

interface Write {
  id: number;
  sentAt: number;
  ackedAt: number;
}

integration('restore', sandbox => {
  const cluster = new Cluster(sandbox, 'schule');
  const nas = join(sandbox.root, 'nas');
  const repository = join(nas, 'default', 'schule');
  const login = { database: 'firmendaten' };
  let file: string;

  beforeAll(async () => {
    mkdirSync(nas, { mode: 0o777 });
    const repositories = [
      { name: 'copies', members: {} },
      { name: 'nas', directory: { path: nas } },
    ];
    file = sandbox.file(
      'schule.yaml',
      manifest({
        name: 'schule',
        instances: 2,
        spec: { enableConnectionPooler: true, backup: { repositories } },
      }),
    );
    await cluster.up(file);
    await using sql = await cluster.connect('primary', login);
    await sql.rows('CREATE TABLE noten AS SELECT generate_series(1, 100) AS id');
    await sandbox.json(['backup', 'schule']);
    // The newest one is there, so that it is tried first.
    await sandbox.json(['backup', 'schule', '--repo', 'nas']);
  });

  /** Writes one row after the other until told to stop, and knows when each was sent and acknowledged. */
  async function ledgerUntil(stop: () => Promise<void>): Promise<Write[]> {
    await using sql = await cluster.connect('primary', login);
    await sql.rows('DROP TABLE IF EXISTS noten');
    await sql.rows('CREATE TABLE noten (id int PRIMARY KEY)');
    const writes: Write[] = [];
    let ended = false;
    const end = stop().then(() => {
      ended = true;
    });
    for (let id = 1; !ended; id++) {
      const sentAt = Date.now();
      await sql.rows('INSERT INTO noten VALUES ($1)', [id]);
      writes.push({ id, sentAt, ackedAt: Date.now() });
      await delay(3);
    }
    await end;
    return writes;
  }

  async function listed(): Promise<BackupsDocument> {
    return await sandbox.json(['backups', 'schule'], { exitCodes: [0, 2] });
  }

  async function idsOf(where: Cluster): Promise<number[]> {
    await using sql = await where.connect('primary', login);
    return (await sql.rows('SELECT id FROM noten ORDER BY id')).map(row => Number(row.id));
  }

  describe('to one second before a DROP TABLE', () => {
    let writes: Write[];
    let target: number;
    let restored: RestoreDocument;

    beforeAll(async () => {
      writes = await ledgerUntil(() => delay(3000));
      {
        await using sql = await cluster.connect('primary', login);
        target = Date.now() - 1000;
        await sql.rows('DROP TABLE noten');
        await sql.rows('CREATE TABLE danach (x int)');
      }
      const to = new Date(target).toISOString();
      restored = await sandbox.json(['restore', 'schule', '--to', to]);
    });

    it('is done beside the cluster, which goes on serving, and says what was reached', async () => {
      expect(restored).toMatchObject({ action: 'restored', damage: [], cutover: null });
      expect(restored.restore).toMatchObject({ repository: 'nas', endOfArchive: false });
      expect(Date.parse(restored.restore?.lastCommitAt ?? '')).toBeLessThanOrEqual(target);
      expect(restored.databases.map(({ name }) => name)).toContain('firmendaten');
      await using sql = await cluster.connect('primary', login);
      expect(await sql.value("SELECT to_regclass('noten')")).toBeNull();
      await sql.rows('INSERT INTO danach VALUES (1)');
    });

    it('archives nothing: the history of its timeline is not in the repository', () => {
      expect(filesOf(join(repository, 'archive'), /\.history$/)).toEqual([]);
    });

    it('waits for the cutover', async () => {
      const { waiting } = await sandbox.json<RestoreDocument>(['restore', 'schule', '--list']);
      expect(waiting.map(({ id }) => id)).toEqual([restored.restore?.id]);
      const id = restored.restore?.id ?? '';
      expect((await listed()).waiting).toMatchObject([{ id, target: new Date(target).toISOString() }]);
      const { notes } = await sandbox.json<StatusDocument>(['status', 'schule'], { exitCodes: [0, 2] });
      expect(notes.join()).toContain(`--cutover ${id}, or --discard ${id}`);
    });

    it('brings back every row acknowledged until then, and none sent later: an exact prefix', async () => {
      const { cutover } = await sandbox.json<RestoreDocument>(['restore', 'schule', '--cutover']);
      await cluster.whole(2);
      const ids = await idsOf(cluster);
      const acknowledged = writes.filter(({ ackedAt }) => ackedAt <= target).map(({ id }) => id);
      const sentLater = writes.filter(({ sentAt }) => sentAt > target).map(({ id }) => id);
      expect(acknowledged.length).toBeGreaterThan(100);
      expect(sentLater.length).toBeGreaterThan(50);
      expect(ids).toEqual(Array.from(ids, (_, n) => n + 1));
      expect(acknowledged.filter(id => !ids.includes(id))).toEqual([]);
      expect(sentLater.filter(id => ids.includes(id))).toEqual([]);
      await using sql = await cluster.connect('pooler', { ...login, user: 'bauer' });
      expect(await sql.value("SELECT to_regclass('danach')")).toBeNull();
      // Undo: the old data are there still.
      expect(cutover?.aside).toHaveLength(2);
      for (const path of cutover?.aside ?? [])
        expect(existsSync(join(path, 'pgdata', 'PG_VERSION'))).toBe(true);
      const { aside, waiting, cutover: unfinished } = await listed();
      expect(
        aside.filter(({ keepUntil }) => keepUntil === cutover?.keepUntil).map(({ path }) => path),
      ).toEqual([...(cutover?.aside ?? [])].sort());
      expect({ waiting, unfinished }).toEqual({ waiting: [], unfinished: null });
    });

    it('goes on archiving on the new timeline, and what was abandoned can be reached still', async () => {
      await sandbox.json(['backup', 'schule', '--repo', 'nas']);
      const dropped = new Date(target + 5000).toISOString();
      const again = await sandbox.json<RestoreDocument>(['restore', 'schule', '--to', dropped]);
      expect(again.restore?.timeline).toBeGreaterThan(2);
      const id = again.restore?.id ?? '';
      expect(Date.parse(again.restore?.lastCommitAt ?? '')).toBeGreaterThan(target);
      await sandbox.json(['restore', 'schule', '--discard', id]);
      expect(readdirSync(join(cluster.root, 'scratch'))).toEqual([]);
    });
  });

  describe('refuses before anything is touched', () => {
    it.each([
      ['a time before the first backup', ['--to', '2020-01-01 00:00:00Z'], 'target-outside-window'],
      ['a time to come', ['--to', '2100-01-01 00:00:00Z'], 'target-in-future'],
      ['a position before the first backup', ['--to', '0/1000000'], 'target-outside-window'],
      ['a position that was never written', ['--to', 'FF/0'], 'target-outside-window'],
      ['something that is no target', ['--to', 'gestern'], 'bad-target'],
      ['a backup that is not there', ['--backup', '20200101-000000F'], 'no-such-backup'],
      ['a repository that is not there', ['--from', 'nowhere'], 'no-such-repository'],
      ['a cutover without a restore', ['--cutover'], 'no-such-restore'],
      ['a clone with the name of a cluster that exists', ['--as', 'schule'], 'cluster-exists'],
      ['a table that is there', ['--table', 'firmendaten.public.noten'], 'table-exists'],
    ])('%s', async (_, words, code) => {
      const servers = cluster.servers();
      const { error, exitCode } = await sandbox.failure(['restore', 'schule', ...words]);
      expect({ code: error.code, exitCode }).toEqual({ code, exitCode: 2 });
      if (code === 'target-outside-window') expect(error.detail).toMatch(/nas: \d{4}-.* to now/);
      expect(cluster.servers()).toEqual(servers);
    });

    it('a transaction that never was', async () => {
      const { error } = await sandbox.failure(['restore', 'schule', '--to', 'xid:99999999', '--from', 'nas']);
      expect(error.code).toBe('target-not-reached');
      expect(readdirSync(join(cluster.root, 'scratch'))).toEqual([]);
    });
  });

  describe('brings back one table', () => {
    it('that was dropped, and one that was spoiled beside the one in use', async () => {
      await delay(1100);
      const before = await idsOf(cluster);
      const to = new Date().toISOString();
      await delay(1100);
      await using sql = await cluster.connect('primary', login);
      await sql.rows('UPDATE noten SET id = -id');
      const table = ['--table', 'firmendaten.public.noten'];
      const beside = await sandbox.json<RestoreDocument>([
        'restore',
        'schule',
        '--to',
        to,
        ...table,
        '--into',
        'alt',
      ]);
      expect(beside.tables).toMatchObject([{ into: 'alt', rows: before.length }]);
      expect(await sql.value<string>('SELECT count(*) FROM noten WHERE id > 0')).toBe('0');
      await sql.rows('DROP TABLE noten');
      await sandbox.json<RestoreDocument>(['restore', 'schule', '--to', to, ...table]);
      expect(await idsOf(cluster)).toEqual(before);
      expect(readdirSync(join(cluster.root, 'scratch'))).toEqual([]);
    });
  });

  describe('proves backups', () => {
    it('in every repository, by a real restore of each', async () => {
      const { proven, proofs } = await sandbox.json<VerifyDocument>(['verify', 'schule']);
      expect(proven).toBe(true);
      expect(proofs.map(({ repository }) => repository).sort()).toEqual([
        'copies/schule-0',
        'copies/schule-1',
        'nas',
      ]);
      for (const { lsn } of proofs) expect(lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
      expect(readdirSync(join(cluster.root, 'scratch'))).toEqual([]);
    });

    const newest = (path: string) => filesOf(path, /./).at(-1) ?? '';
    const damages: [string, () => void, RegExp][] = [
      [
        'a flipped byte in the data',
        () => flip(newest(join(lastBackup(), 'bundle'))),
        /invalid checksum .*F\/pg_data/,
      ],
      ['missing data', () => execFileSync('rm', [newest(join(lastBackup(), 'bundle'))]), /missing/],
      [
        'a manifest and its copy that are flipped',
        () => filesOf(lastBackup(), /backup\.manifest/).forEach(flip),
        /./,
      ],
    ];

    function lastBackup(): string {
      const path = join(repository, 'backup', 'schule');
      const labels = readdirSync(path).filter(name => /^\d{8}-\d{6}F$/.test(name));
      return join(path, labels.sort().at(-1) ?? '');
    }

    it.each(damages)('%s is found and named, and another repository used', async (_, spoil, named) => {
      await spoiled(repository, spoil, async () => {
        const result = await sandbox.run(['verify', 'schule', '--repo', 'nas', '--output', 'json']);
        expect(result.exitCode).toBe(1);
        const { proven, proofs } = JSON.parse(result.stdout) as VerifyDocument;
        expect(proven).toBe(false);
        expect(proofs[0]?.problems.join()).toMatch(named);
        const restored = await sandbox.json<RestoreDocument>(['restore', 'schule', '--to', 'latest']);
        expect(restored.damage[0]).toMatchObject({ repository: 'nas' });
        expect(restored.restore?.repository).not.toBe('');
        await sandbox.json(['restore', 'schule', '--discard', restored.restore?.id ?? '']);
      });
    });

    it.each([
      ['flipped', flip, /is damaged/],
      ['missing', (path: string) => execFileSync('rm', [path]), /is missing/],
    ] as const)('a %s segment of the WAL is found and named', async (_, spoil, named) => {
      await spoiled(
        repository,
        () => spoil(filesOf(join(repository, 'archive'), /[0-9A-F]{24}-[0-9a-f]{40}/).at(-2) ?? ''),
        async () => {
          const result = await sandbox.run(['verify', 'schule', '--repo', 'nas', '--output', 'json']);
          expect(result.exitCode).toBe(1);
          expect((JSON.parse(result.stdout) as VerifyDocument).proofs[0]?.problems.join()).toMatch(named);
        },
      );
    });
  });

  describe('a cutover that is killed', () => {
    it.each(['stopping', 'setting the old data aside', 'starting'])(
      'while it is %s stops `up`, and is finished by the next one',
      async moment => {
        const ids = await idsOf(cluster);
        await sandbox.json(['restore', 'schule', '--to', 'latest']);
        const killed = sandbox.start(['restore', 'schule', '--cutover']);
        await eventually(`the cutover to say "${moment}"`, WITHIN.command, () =>
          killed.stderr().includes(moment),
        );
        killed.child.kill('SIGKILL');
        await killed.finished;
        const { error } = await sandbox.failure(['up', file]);
        expect(error.code).toBe('restore-unfinished');
        const id = (await listed()).cutover?.id;
        const { next } = await sandbox.json<StatusDocument>(['status', 'schule'], { exitCodes: [2] });
        expect(next).toContain(`pgherd restore schule --cutover ${id}`);
        const { cutover } = await sandbox.json<RestoreDocument>(['restore', 'schule', '--cutover']);
        await cluster.whole(2);
        expect(await idsOf(cluster)).toEqual(ids);
        expect(cutover?.aside).toHaveLength(2);
        expect(existsSync(join(cluster.root, 'swap.json'))).toBe(false);
      },
    );
  });

  describe('clones', () => {
    it('a cluster of its own, which leaves the archive of the original alone', async () => {
      const clone = new Cluster(sandbox, 'kopie');
      await sandbox.json(['restore', 'schule', '--as', 'kopie']);
      const before = filesOf(repository, /archive/).length;
      expect(await idsOf(clone)).toEqual(await idsOf(cluster));
      await using sql = await clone.connect('primary', login);
      await sql.rows('CREATE TABLE nur_hier (x int)');
      await sql.rows('SELECT pg_switch_wal()');
      await delay(3000);
      expect(filesOf(join(nas, 'default', 'kopie'), /[0-9A-F]{24}-/).length).toBeGreaterThan(0);
      const foreign = filesOf(repository, /archive/).length - before;
      expect(foreign).toBe(0);
      await clone.whole(2);
      await sandbox.json(['destroy', 'kopie', '--yes-destroy', 'kopie']);
    });
  });

  describe('on a bare machine', () => {
    it('founds the lost cluster anew from the manifest, a repository and the key', async () => {
      const ids = await idsOf(cluster);
      const key = join(sandbox.root, 'files', 'key.txt');
      await sandbox.run(['backup-key', 'schule', '--file', key]);
      await sandbox.run(['backup', 'schule', '--repo', 'nas', '--type', 'incremental']);
      await sandbox.json(['destroy', 'schule', '--yes-destroy', 'schule']);
      expect(existsSync(cluster.root)).toBe(false);

      const without = await sandbox.failure(['restore', '--manifest', file, '--from', 'nas']);
      expect(without.error.code).toBe('key-needed');
      const words = ['restore', '--manifest', file, '--from', 'nas', '--key', key];
      const founded = await sandbox.json<RestoreDocument>(words);
      expect(founded).toMatchObject({ action: 'founded', cluster: 'schule', restore: { repository: 'nas' } });
      const again = new Cluster(sandbox, 'schule');
      await again.whole(2);
      expect(await idsOf(again)).toEqual(ids);
      const twice = await sandbox.failure(words);
      expect(twice.error.code).toBe('cluster-exists');
    });
  });
});
