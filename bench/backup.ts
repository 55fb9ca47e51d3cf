/**
 * Backups and restores beside the same tools called by hand, in one run on the same data:
 *
 *   - a full backup, and `pgbackrest backup` with the same settings; an incremental one after 1 % has changed
 *   - a restore to a point in time, and `pgbackrest restore` with PostgreSQL's own replay
 *   - commits per second with archiving and without
 *   - the user's database (100 MB) to a given second, from the command to its first answer
 *
 *   node bench/backup.ts [ROUNDS] [SCALE]     default 3 rounds, scale 340 (5 GB); the small one is always scale 7
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackupDocument } from '../src/cli/backups/schema.ts';
import { run } from '../src/lib/exec.ts';
import { limits, Subject } from './backupSubject.ts';
import { keep, load, summarise } from './support.ts';

const rounds = Number(process.argv[2] ?? 3);
const scale = Number(process.argv[3] ?? 340);
/** 100 MB. */
const SMALL = 7;
const LOAD_SECONDS = 20;
const root = mkdtempSync('/tmp/pgherd-bench-');
chmodSync(root, 0o755);

function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

/** Full backups by both, alternately; then what 1 % costs. */
async function backups(subject: Subject): Promise<Record<string, unknown>> {
  const times = { ours: [] as number[], theirs: [] as number[], incremental: [] as number[] };
  const server = [
    `--pg1-socket-path=${subject.socket}`,
    `--pg1-port=${subject.record.port}`,
    '--pg1-user=postgres',
    '--archive-timeout=120',
  ];
  for (let n = 0; n < rounds; n++) {
    times.theirs.push(await subject.byHand(subject.data, 'backup', ...server, '--type=full'));
    const { seconds } = await subject.pgherd('backup', subject.name, '--type', 'full');
    times.ours.push(seconds);
    const share = Math.floor((100_000 * scale) / 100);
    await subject.sql(`UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid <= ${share}`);
    await subject.sql('CHECKPOINT');
    const small = await subject.pgherd('backup', subject.name, '--type', 'incremental');
    const [result] = (small.document as BackupDocument).results;
    if (result?.backup?.type !== 'incremental') throw new Error('it was no incremental backup');
    times.incremental.push(small.seconds);
    say(
      `full ${seconds.toFixed(1)} s, by hand ${times.theirs.at(-1)?.toFixed(1)} s, incremental ${small.seconds.toFixed(1)} s`,
    );
  }
  return {
    'pgherd backup --type full': summarise(times.ours),
    'pgbackrest backup by hand': summarise(times.theirs),
    'full, ours to theirs': ratio(times.ours, times.theirs),
    'pgherd backup --type incremental after 1 % has changed': summarise(times.incremental),
    'incremental to full': ratio(times.incremental, times.ours),
  };
}

/** To a moment that lies between two loads, by both. */
async function restores(subject: Subject): Promise<Record<string, unknown>> {
  await subject.pgherd('backup', subject.name, '--type', 'full');
  await subject.commits(LOAD_SECONDS);
  await delay(2000);
  const target = await subject.sql(
    "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
  );
  const wanted = await subject.sql('SELECT sum(abalance) FROM pgbench_accounts');
  await delay(2000);
  await subject.commits(3);
  // By hand nobody would see to it that the last segment is in the archive.
  const segment = await subject.sql('SELECT pg_walfile_name(pg_switch_wal())');
  while ((await subject.sql('SELECT last_archived_wal FROM pg_stat_archiver')) < segment) await delay(200);
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let n = 0; n < rounds; n++) {
    times.theirs.push(await restoreByHand(subject, target, wanted));
    const { document, seconds } = await subject.pgherd('restore', subject.name, '--to', `${target}Z`);
    times.ours.push(seconds);
    const { restore } = document as { restore: { id: string; copySeconds: number; replaySeconds: number } };
    await subject.pgherd('restore', subject.name, '--discard', restore.id);
    const parts = `copy ${restore.copySeconds.toFixed(1)} s, replay ${restore.replaySeconds.toFixed(1)} s`;
    say(`restore ${seconds.toFixed(1)} s (${parts}), by hand ${times.theirs.at(-1)?.toFixed(1)} s`);
  }
  return {
    'pgherd restore --to': summarise(times.ours),
    'pgbackrest restore and replay by hand': summarise(times.theirs),
    'restore, ours to theirs': ratio(times.ours, times.theirs),
  };
}

async function restoreByHand(subject: Subject, target: string, wanted: string): Promise<number> {
  const place = join(root, 'by-hand');
  const { serviceUser, postgres } = subject.record;
  mkdirSync(place, { mode: 0o700 });
  if (process.getuid?.() === 0) chownSync(place, serviceUser.uid, serviceUser.gid);
  const data = join(place, 'pgdata');
  const ctl = join(postgres.binDir, 'pg_ctl');
  try {
    const options = ['--type=time', `--target=${target}+00`, '--target-action=promote', '--process-max=2'];
    let seconds = await subject.byHand(data, 'restore', ...options);
    const settings = `-c listen_addresses= -c unix_socket_directories=${place} -c port=5999 -c archive_mode=off -c ssl=off -c config_file=${data}/postgresql.conf`;
    const start = ['start', '-w', '-t', '3600', '-D', data, '-l', join(place, 'log'), '-o', settings];
    seconds += await subject.timedAsServer([ctl, ...start]);
    const started = performance.now();
    const ask = (text: string) =>
      run(
        [
          join(postgres.binDir, 'psql'),
          '-XAtq',
          '-h',
          place,
          '-p',
          '5999',
          '-U',
          'postgres',
          '-d',
          'postgres',
          '-c',
          text,
        ],
        limits(),
      );
    while ((await ask('SELECT pg_is_in_recovery()')).stdout.trim() !== 'f') await delay(50);
    seconds += (performance.now() - started) / 1000;
    const found = (await ask('SELECT sum(abalance) FROM pgbench_accounts')).stdout.trim();
    if (found !== wanted) throw new Error(`by hand: ${found} instead of ${wanted}`);
    return seconds;
  } catch (error) {
    say(readFileSync(join(place, 'log'), 'utf8').slice(-2000));
    throw error;
  } finally {
    await subject.timedAsServer([ctl, 'stop', '-m', 'immediate', '-D', data]).catch(() => {});
    rmSync(place, { recursive: true, force: true });
  }
}

/** Alternately with and without: each change restarts the server. */
async function archiving(subject: Subject): Promise<Record<string, unknown>> {
  const figures = { on: [] as number[], off: [] as number[] };
  for (let n = 0; n < rounds; n++) {
    for (const on of n % 2 === 0 ? [true, false] : [false, true]) {
      await subject.up(on);
      await subject.sql('CHECKPOINT');
      await subject.commits(3);
      figures[on ? 'on' : 'off'].push(await subject.commits(LOAD_SECONDS));
    }
    say(
      `commits/s: ${figures.on.at(-1)?.toFixed(0)} with archiving, ${figures.off.at(-1)?.toFixed(0)} without`,
    );
  }
  return {
    'commits/s with archiving': summarise(figures.on),
    'commits/s without archiving': summarise(figures.off),
    'with archiving to without': ratio(figures.on, figures.off),
  };
}

/** The user's own case: how long until the data of a given second can be queried, and until they are in place. */
async function small(subject: Subject): Promise<Record<string, unknown>> {
  const times = { queryable: [] as number[], inPlace: [] as number[] };
  for (let n = 0; n < rounds; n++) {
    await subject.pgherd('backup', subject.name, '--type', 'full');
    await subject.commits(5);
    await delay(1500);
    const target = await subject.sql(
      "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
    );
    const wanted = await subject.sql('SELECT sum(abalance) FROM pgbench_accounts');
    await delay(1500);
    await subject.sql('DROP TABLE pgbench_accounts');
    const begun = performance.now();
    const { document, seconds } = await subject.pgherd('restore', subject.name, '--to', `${target}Z`);
    times.queryable.push(seconds);
    const { restore } = document as { restore: { id: string } };
    await subject.pgherd('restore', subject.name, '--cutover', restore.id);
    const found = await subject.sql('SELECT sum(abalance) FROM pgbench_accounts');
    times.inPlace.push((performance.now() - begun) / 1000);
    if (found !== wanted) throw new Error(`after the cutover: ${found} instead of ${wanted}`);
    say(
      `100 MB: queryable after ${seconds.toFixed(1)} s, in place after ${times.inPlace.at(-1)?.toFixed(1)} s`,
    );
  }
  return {
    'restore of 100 MB to a second, until it can be queried beside': summarise(times.queryable),
    'the same, until it has replaced the data': summarise(times.inPlace),
  };
}

function ratio(ours: number[], theirs: number[]): number {
  return Number((summarise(ours).median / summarise(theirs).median).toFixed(3));
}

async function withSubject<T>(
  name: string,
  size: number,
  work: (subject: Subject) => Promise<T>,
): Promise<T> {
  const subject = new Subject(root, name);
  try {
    await subject.up(true);
    await subject.fill(size);
    return await work(subject);
  } finally {
    await subject.destroy().catch((error: unknown) => say(String(error)));
  }
}

try {
  const before = load();
  const small100 = await withSubject('klein', SMALL, small);
  const big = await withSubject('gross', scale, async subject => {
    const bytes = Number(await subject.sql("SELECT pg_database_size('postgres')"));
    const { postgres, programs } = subject.record;
    return {
      versions: { postgres: postgres.version, pgbackrest: programs.pgbackrestVersion },
      'size of the database in MB': Math.round(bytes / 1024 / 1024),
      seconds: { ...(await backups(subject)), ...(await restores(subject)), ...small100 },
      commits: await archiving(subject),
    };
  });
  keep('backup', { rounds, scale, 'load average before': before, ...big });
} finally {
  rmSync(root, { recursive: true, force: true });
}
