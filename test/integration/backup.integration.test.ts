/** Physical backups: the archive from the first second on, backups of each type, and everything that can go wrong. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  BackupDocument,
  BackupKeyDocument,
  BackupsDocument,
  ExpireDocument,
} from '../../src/cli/backups/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { explain } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { processesOf } from '../support/processes.ts';
import { integration } from '../support/sandbox.ts';
import { noSmallDisk, SmallDisk } from './backup/share.ts';

const NAME = 'sicher';
const COPIES = [`members/${NAME}-0`, `members/${NAME}-1`];
/** An alarm is due within a minute. */
const ALARM_MS = 60_000;

integration('physical backups', sandbox => {
  const cluster = new Cluster(sandbox, NAME);
  const obstacle = noSmallDisk();
  const disk = obstacle === undefined ? new SmallDisk(sandbox.root, 160) : undefined;
  const places = [...COPIES, ...(disk === undefined ? [] : ['nas'])];

  function edited(backup: Record<string, unknown> = {}): string {
    const repositories = [
      { name: 'members', members: {} },
      ...(disk === undefined ? [] : [{ name: 'nas', directory: { path: disk.path } }]),
    ];
    const spec = { backup: { repositories, verify: { afterBackup: 'never' }, ...backup } };
    return sandbox.file('sicher.yaml', manifest({ name: NAME, instances: 2, spec }));
  }

  const backups = () => sandbox.json<BackupsDocument>(['backups', NAME], { exitCodes: [0, 2] });
  /** The control plane may be at work on them just now. */
  const take = (...words: string[]) =>
    eventually('the lock of the backups', WITHIN.streaming, async () => {
      const result = await sandbox.run(['backup', NAME, ...words, '--output', 'json']);
      if (result.stdout.includes('"code": "locked"')) return undefined;
      expect(result.exitCode, explain(result)).toBe(0);
      return JSON.parse(result.stdout) as BackupDocument;
    });
  const idsOf = (document: BackupsDocument, repository: string) =>
    document.backups.filter(set => set.repository === repository).map(({ id }) => id);

  /** Fills a segment and begins the next. Resolves with its name. */
  async function fillSegment(): Promise<string> {
    await using sql = await cluster.connect('primary');
    await sql.rows('CREATE TABLE IF NOT EXISTS ballast (text text)');
    await sql.rows("INSERT INTO ballast SELECT repeat('x', 1000) FROM generate_series(1, 100)");
    const segment = await sql.value<string>('SELECT pg_walfile_name(pg_current_wal_lsn())');
    await sql.rows('SELECT pg_switch_wal()');
    return segment;
  }

  function holds(directory: string, segment: string): boolean {
    const below = join(directory, 'archive', NAME);
    return readdirSync(below, { recursive: true, encoding: 'utf8' }).some(path =>
      path.slice(path.lastIndexOf('/') + 1).startsWith(`${segment}-`),
    );
  }

  const copy = (n: number) => join(cluster.root, 'backups', `${NAME}-${n}`);

  beforeAll(async () => {
    disk?.mount();
    await cluster.up(edited());
  });
  afterAll(() => disk?.remove());

  it('archives from the beginning, into every repository', async () => {
    const segment = await fillSegment();
    await eventually('the segment in every copy', WITHIN.notice, () =>
      [0, 1].every(n => holds(copy(n), segment)),
    );
    const document = await backups();
    expect(document).toMatchObject({ well: true, troubles: [], backups: [] });
    expect(document.repositories.map(({ name, state }) => [name, state])).toEqual(
      places.map(name => [name, 'ready']),
    );
    expect(document.archiver).toMatchObject({ on: true, failingSince: null });
    // The first segment of all is there as well: nothing was lost before the repositories were made.
    expect(holds(copy(0), '000000010000000000000001')).toBe(true);
  });

  it('keeps keys out of sight', async () => {
    const conf = join(cluster.root, 'conf', 'backup');
    for (const file of readdirSync(conf).filter(name => name.endsWith('.conf')))
      expect(statSync(join(conf, file)).mode & 0o777, file).toBe(0o600);
    const key = readFileSync(join(cluster.root, 'secrets', 'backup-key', 'key'), 'utf8').trim();
    expect(key.length).toBeGreaterThan(30);
    expect(readFileSync(join(conf, 'archive.conf'), 'utf8')).toContain(key);
    expect(readFileSync(join(cluster.root, 'journal.jsonl'), 'utf8')).not.toContain(key);
    expect(readFileSync(join(cluster.root, 'conf', `${NAME}-0`, 'patroni.yml'), 'utf8')).not.toContain(key);
  });

  it('takes a full one into each repository, and others that build on it', async () => {
    const full = await take();
    expect(full.results.map(({ repository, failure }) => [repository, failure])).toEqual(
      places.map(name => [name, null]),
    );
    const differential = await take('--type', 'differential', '--repo', 'members');
    const incremental = await take('--type', 'incremental', '--repo', COPIES[0] ?? '');
    const base = full.results[0]?.backup;
    expect(differential.results[0]?.backup).toMatchObject({ type: 'differential', needs: [base?.id] });
    expect(incremental.results).toHaveLength(1);
    expect(incremental.results[0]?.backup?.needs).toContain(base?.id);
    expect(incremental.results[0]?.backup?.ownBytes).toBeLessThan((base?.ownBytes ?? 0) / 10);
    const document = await backups();
    expect(idsOf(document, COPIES[0] ?? '')).toHaveLength(3);
    expect(document.windows.map(({ repository, to, missing }) => [repository, to, missing])).toEqual(
      places.map(name => [name, null, null]),
    );
  });

  it('nags until the key was saved', async () => {
    expect((await cluster.status()).notes.join()).toContain('never saved');
    const file = join(sandbox.root, 'files', 'key');
    const saved = await sandbox.json<BackupKeyDocument>(['backup-key', NAME, '--file', file]);
    expect(saved).toMatchObject({ file, key: null });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await cluster.status()).notes.join()).not.toContain('never saved');
    const again = await sandbox.failure(['backup-key', NAME, '--file', file]);
    expect(again).toMatchObject({ exitCode: 2, error: { code: 'key-not-written' } });
  });

  it('deletes what a shorter retention does not keep, and says so first', async () => {
    const [first] = idsOf(await backups(), COPIES[0] ?? '');
    await take('--repo', COPIES[0] ?? '');
    expect(await sandbox.json<ExpireDocument>(['expire', NAME, '--dry-run'])).toMatchObject({
      repositories: places.map(repository => ({ repository, backups: [] })),
    });
    await cluster.up(edited({ retention: { full: 1 } }));
    const dry = await sandbox.json<ExpireDocument>(['expire', NAME, '--dry-run']);
    expect(dry.repositories[0]?.backups).toContain(first);
    expect(dry.repositories[0]?.backups).toHaveLength(3);
    expect(idsOf(await backups(), COPIES[0] ?? '')).toHaveLength(4);
    const real = await sandbox.json<ExpireDocument>(['expire', NAME]);
    expect(real.repositories).toEqual(dry.repositories);
    expect(idsOf(await backups(), COPIES[0] ?? '')).toHaveLength(1);
  });

  it('refuses two at once, and names the holder', async () => {
    const lock = join(cluster.root, 'backup.lock');
    const holder: ChildProcess = spawn('/usr/bin/flock', ['--exclusive', lock, 'cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    writeFileSync(`${lock}.holder`, 'full backup (pid 1)');
    holder.stdin?.write('held\n');
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    try {
      const { exitCode, error } = await sandbox.failure(['backup', NAME]);
      expect(exitCode).toBe(1);
      expect(error.code).toBe('locked');
      expect(error.message).toContain('full backup (pid 1)');
    } finally {
      holder.stdin?.end();
      await once(holder, 'exit');
    }
  });

  it.each(['pgherd', 'pgbackrest'])('lists nothing of a backup in which %s was killed', async victim => {
    const before = idsOf(await backups(), COPIES[1] ?? '');
    const running = sandbox.start(['backup', NAME, '--repo', COPIES[1] ?? '', '--output', 'json']);
    const found = await eventually('the backup to run', WITHIN.notice, () => {
      const seen = processesOf(sandbox.stateDir).filter(({ command }) =>
        /pgbackrest .*--type=full/.test(command),
      );
      return seen.length > 0 ? seen : undefined;
    });
    await delay(300);
    if (victim === 'pgherd') running.child.kill('SIGKILL');
    else for (const { pid } of found) process.kill(pid, 'SIGKILL');
    await running.finished;
    await eventually('the end of it', WITHIN.notice, () =>
      processesOf(sandbox.stateDir).every(({ command }) => !/pgbackrest .*--type=full/.test(command)),
    );
    expect(idsOf(await backups(), COPIES[1] ?? '')).toEqual(before);
    const next = await take('--repo', COPIES[1] ?? '');
    expect(next.results[0]?.failure).toBeNull();
  });

  it('makes a lost copy again, with a full backup in it', async () => {
    rmSync(copy(1), { recursive: true });
    const segment = await fillSegment();
    const status = await cluster.status();
    expect(status.verdict).toBe('degraded');
    expect(status.reasons.join()).toContain(`${COPIES[1]} is empty`);
    // The other copy goes on.
    await eventually('the segment in the other copy', WITHIN.notice, () => holds(copy(0), segment));
    const taken = await take('--type', 'incremental', '--repo', COPIES[1] ?? '');
    expect(taken.results[0]?.backup?.type).toBe('full');
    const later = await fillSegment();
    await eventually('WAL in the new copy', WITHIN.notice, () => holds(copy(1), later));
    expect(await backups()).toMatchObject({ well: true });
  });

  it('sounds the alarm within a minute where WAL cannot be written, and loses none', {
    timeout: 240_000,
  }, async () => {
    const directory = join(copy(0), 'archive', NAME);
    const folders = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map(path => join(directory, path))
      .filter(path => statSync(path).isDirectory());
    for (const path of folders) chmodSync(path, 0o500);
    const segment = await fillSegment();
    const since = Date.now();
    const status = await eventually('the alarm', ALARM_MS, async () => {
      const seen = await cluster.status();
      return seen.reasons.some(reason => reason.includes('WAL is not archived')) ? seen : undefined;
    });
    expect(Date.now() - since).toBeLessThan(ALARM_MS);
    expect(status.reasons.join()).toContain(COPIES[0]);
    expect(status.reasons.join()).toMatch(/the volume of sicher-\d (is full in|has)/);
    expect((await backups()).archiver?.waiting).toBeGreaterThan(0);
    expect(holds(copy(1), segment)).toBe(true);
    expect(await fillSegment()).not.toBe(segment);
    for (const path of folders) chmodSync(path, 0o750);
    await eventually('the archive to catch up', 90_000, async () => {
      await delay(500);
      return holds(copy(0), segment) && (await backups()).well;
    });
  });

  it('leaves no hole where a primary died before it had archived', { timeout: 180_000 }, async () => {
    await cluster.whole(2);
    const primary = await cluster.primary();
    const script = join(cluster.root, 'conf', 'backup', 'pgbackrest-push');
    const good = readFileSync(script, 'utf8');
    // Whatever the reason, it has not archived when it dies, and it does not come back.
    writeFileSync(script, '#!/bin/sh\nexit 1\n');
    const segments = [await fillSegment(), await fillSegment(), await fillSegment()];
    expect(segments.filter(segment => holds(copy(0), segment))).toEqual([]);
    execFileSync('/usr/bin/sv', ['down', join(cluster.root, 'services', primary.name)]);
    for (const { pid, command } of processesOf(cluster.root))
      if (/postgres -D|patroni/.test(command) && command.includes(`/${primary.name}/`))
        process.kill(pid, 'SIGKILL');
    writeFileSync(script, good);
    await eventually('another primary', WITHIN.streaming, async () => {
      const { members } = await cluster.status();
      return members.some(({ name, role }) => role === 'primary' && name !== primary.name);
    });
    await eventually('what the dead one had not archived', WITHIN.streaming, () =>
      segments.every(segment => holds(copy(0), segment) && holds(copy(1), segment)),
    );
    execFileSync('/usr/bin/sv', ['up', join(cluster.root, 'services', primary.name)]);
    await cluster.whole(2, 2 * WITHIN.streaming);
    await take('--type', 'incremental', '--repo', COPIES[0] ?? '');
    for (const { repository, missing } of (await backups()).windows)
      expect({ repository, missing }).toEqual({ repository, missing: null });
  });

  describe.skipIf(disk === undefined)('a share', () => {
    it('that is full stops nothing, and is told with the time that the volume lasts', {
      timeout: 240_000,
    }, async () => {
      disk?.fill();
      for (let n = 0; n < 4; n++) await fillSegment();
      const document = await eventually('the alarm', ALARM_MS, async () => {
        const seen = await backups();
        await delay(500);
        return seen.troubles.some(trouble => /is full in|has [\d.]+ GB left/.test(trouble))
          ? seen
          : undefined;
      });
      expect(document.repositories.find(({ name }) => name === 'nas')?.state).toBe('full');
      const refused = await sandbox.run(['backup', NAME, '--repo', 'nas']);
      expect(refused.exitCode).toBe(1);
      const other = await take('--type', 'incremental', '--repo', COPIES[0] ?? '');
      expect(other.results[0]?.failure).toBeNull();
    });

    it('that is not mounted gets nothing written below it, and catches up when it is back', {
      timeout: 240_000,
    }, async () => {
      disk?.empty();
      disk?.unmount();
      const segment = await fillSegment();
      const gone = (await backups()).repositories.find(({ name }) => name === 'nas');
      expect(gone).toMatchObject({ state: 'unreachable', problem: expect.stringContaining('not mounted') });
      await sandbox.run(['backup', NAME, '--repo', 'nas']);
      expect(readdirSync(disk?.path ?? '')).toEqual([]);
      disk?.mount();
      await eventually('the archive to catch up', 120_000, async () => {
        await delay(500);
        return holds(join(disk?.path ?? '', 'default', NAME), segment) && (await backups()).well;
      });
    });

    it('keeps its backups when the cluster is destroyed, and a new one of that name is refused', async () => {
      await sandbox.json(['destroy', NAME, '--yes-destroy', NAME]);
      expect(existsSync(join(disk?.path ?? '', 'default', NAME, 'backup', NAME, 'backup.info'))).toBe(true);
      const { exitCode, error } = await sandbox.failure(['up', edited()]);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'repository-taken' });
    });
  });
});
