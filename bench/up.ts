/**
 * How long from nothing to three streaming members and endpoints that take writes, beside plain Patroni with its
 * defaults, started by a script on the same machine in the same run. Also `up` on an unchanged cluster, and what
 * the resident control plane costs while idle.
 *
 *   node bench/up.ts [RUNS]     default 5
 */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { run } from '../src/lib/exec.ts';
import { defaultToolsDir, inspectTools, isReady, type Tools } from '../src/platform/local/setup/index.ts';
import { keep, load, MANIFEST, pgherd, start, summarise } from './support.ts';

const runs = Number(process.argv[2] ?? 5);
const uid = process.getuid?.() ?? -1;
const toolsDir = defaultToolsDir(process.env, uid);
process.env.PGHERD_TOOLS_DIR = toolsDir;
const report = await inspectTools({ majorWanted: 16, toolsDir, signal: AbortSignal.timeout(60_000) });
if (!isReady(report)) throw new Error('run `./pgherd setup` first');
const tools = report.tools;
const user = uid === 0 ? 'postgres' : userInfo().username;

const NAME = 'wichtige-daten-3';
const fresh: number[] = [];
const unchanged: number[] = [];
const baseline: number[] = [];
const loads: number[] = [];
/**
 * Nothing is deleted before the last run is over: ext4 without a journal goes around each inode that was deleted
 * within the last minutes, and initdb and copies, which make 1000 files each, would take twice as long for it.
 */
const leftovers: (() => Promise<void>)[] = [];
let keeper: Record<string, number> = {};

for (let n = 0; n < runs; n++) {
  await quiet();
  loads.push(load());
  const stateDir = mkdtempSync('/tmp/pgherd-bench-');
  chmodSync(stateDir, 0o755);
  try {
    fresh.push((await pgherd(stateDir, ['up', MANIFEST])).seconds);
    for (let k = 0; k < 3; k++) unchanged.push((await pgherd(stateDir, ['up', MANIFEST])).seconds);
    if (n === 0) keeper = await idleCost(stateDir);
  } finally {
    await pgherd(stateDir, ['down', NAME]);
    leftovers.push(async () => {
      await pgherd(stateDir, ['destroy', NAME, '--yes-destroy', NAME]);
      rmSync(stateDir, { recursive: true, force: true });
    });
  }
  await quiet();
  baseline.push(await plainPatroni(tools));
  process.stderr.write(
    `run ${n + 1} of ${runs}: up ${fresh.at(-1)?.toFixed(1)} s, plain Patroni ${baseline.at(-1)?.toFixed(1)} s\n`,
  );
}

for (const remove of leftovers) await remove();

keep('up', {
  seconds: {
    'pgherd up, from nothing to three streaming members': summarise(fresh),
    'plain Patroni with its defaults, to three streaming members': summarise(baseline),
    'pgherd up, nothing to change': summarise(unchanged),
  },
  'resident control plane, idle for 30 s': keeper,
  'load average before each run': loads,
  versions: { postgres: tools.postgres.version, patroni: tools.patroni.version, etcd: tools.etcd.version },
});

/** Resident memory and share of a core of the control plane, while nothing happens. */
async function idleCost(stateDir: string): Promise<Record<string, number>> {
  const pid = Number(readFileSync(join(stateDir, 'services', 'keeper', 'supervise', 'pid'), 'utf8'));
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  await delay(10_000);
  const before = ticks();
  await delay(30_000);
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  // 100 clock ticks a second.
  return { rssMb: Math.round(rssKb / 1024), coreShare: (ticks() - before) / 100 / 30 };
}

/** Three etcd voters and three Patronis, without TLS, with the defaults of both. Seconds until all three stream. */
async function plainPatroni({ etcd, patroni, postgres }: Tools): Promise<number> {
  const dir = mkdtempSync('/tmp/pgherd-plain-');
  const own = userInfoOf(user);
  const address = (n: number) => `127.63.0.${10 + n}`;
  const initial = [0, 1, 2].map(n => `e${n}=http://${address(n)}:2380`).join(',');
  const log = openSync(join(dir, 'log'), 'a');
  const stops: (() => void)[] = [];
  chmodSync(dir, 0o755);
  try {
    const started = performance.now();
    for (const n of [0, 1, 2]) {
      const home = join(dir, `m${n}`);
      mkdirSync(home, { mode: 0o700 });
      if (own !== undefined) chownSync(home, own.uid, own.gid);
      const url = (port: number) => `http://${address(n)}:${port}`;
      const flags = [
        ['--name', `e${n}`],
        ['--data-dir', join(home, 'etcd')],
        ['--listen-client-urls', url(2379)],
        ['--advertise-client-urls', url(2379)],
        ['--listen-peer-urls', url(2380)],
        ['--initial-advertise-peer-urls', url(2380)],
        ['--initial-cluster', initial],
      ].flat();
      stops.push(start([etcd.path, ...flags], { user, log }));
    }
    await until(async () =>
      (await fetch(`http://${address(0)}:2379/version`)).text().then(text => !text.includes('not_decided')),
    );
    for (const n of [0, 1, 2]) {
      const home = join(dir, `m${n}`);
      writeFileSync(join(home, 'patroni.yml'), plainConfig(n, address, home, postgres.binDir), {
        mode: 0o644,
      });
      const env = { ...patroni.env, HOME: home };
      stops.push(start([...patroni.argv, join(home, 'patroni.yml')], { user, env, log }));
    }
    await until(async () => {
      const answer = (await (await fetch(`http://${address(0)}:8008/cluster`)).json()) as {
        members: { state: string }[];
      };
      return (
        answer.members.length === 3 &&
        answer.members.filter(member => member.state === 'streaming').length === 2
      );
    });
    return (performance.now() - started) / 1000;
  } catch (error) {
    process.stderr.write(readFileSync(join(dir, 'log'), 'utf8').slice(-4000));
    throw error;
  } finally {
    for (const stop of stops) stop();
    for (const n of [0, 1, 2]) await stopPostgres(join(dir, `m${n}`, 'data'), postgres.binDir);
    leftovers.push(async () => rmSync(dir, { recursive: true, force: true }));
  }
}

/** Waits, for a minute at most, until the machine has done next to nothing for three seconds. */
async function quiet(): Promise<void> {
  const busyTicks = () => {
    const [user, nice, system, , , irq, softirq] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0);
  };
  for (let n = 0; n < 20; n++) {
    const before = busyTicks();
    await delay(3000);
    // A twentieth of one core.
    if (busyTicks() - before < 15) return;
  }
}

function plainConfig(n: number, address: (n: number) => string, home: string, binDir: string): string {
  return stringify({
    scope: 'plain',
    name: `m${n}`,
    restapi: { listen: `${address(n)}:8008`, connect_address: `${address(n)}:8008` },
    etcd3: { hosts: [0, 1, 2].map(k => `${address(k)}:2379`) },
    bootstrap: {
      dcs: { ttl: 30, loop_wait: 10, retry_timeout: 10 },
      initdb: [{ encoding: 'UTF8' }, 'data-checksums', { locale: 'C.UTF-8' }],
    },
    postgresql: {
      listen: `${address(n)}:5432`,
      connect_address: `${address(n)}:5432`,
      data_dir: join(home, 'data'),
      bin_dir: binDir,
      pgpass: join(home, 'pgpass'),
      authentication: {
        superuser: { username: 'postgres', password: 'plain' },
        replication: { username: 'standby', password: 'plain' },
      },
      parameters: { unix_socket_directories: home },
      pg_hba: [
        'local all all trust',
        'host replication standby 127.0.0.0/8 scram-sha-256',
        'host all all 127.0.0.0/8 scram-sha-256',
      ],
    },
  });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('the baseline did not come up');
    await delay(50);
  }
}

async function stopPostgres(data: string, binDir: string): Promise<void> {
  const argv = [join(binDir, 'pg_ctl'), 'stop', '-m', 'immediate', '-D', data] as const;
  const as =
    uid === 0 ? (['setpriv', '--reuid', user, '--regid', user, '--clear-groups', ...argv] as const) : argv;
  await run(as, { signal: AbortSignal.timeout(30_000), timeoutMs: 30_000 }).catch(() => {});
}

function userInfoOf(name: string): { uid: number; gid: number } | undefined {
  if (uid !== 0) return undefined;
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${name}:`))
    ?.split(':');
  return { uid: Number(fields?.[2]), gid: Number(fields?.[3]) };
}
