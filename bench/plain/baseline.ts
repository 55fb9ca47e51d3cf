/** A baseline's servers: made, started, watched until they are whole, and taken away. */
import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { run } from '../../src/lib/exec.ts';
import { isAlive, startTimeOf } from '../../src/lib/process.ts';
import { poll, sleep } from '../../src/lib/time.ts';
import { isolationPrograms, type Tools } from '../../src/platform/local/setup/index.ts';
import { etcdFlags, type Ground, haproxyCfg, patroniYml, pgbouncerIni } from './config.ts';
import { Host } from './host.ts';
import { addressOf, FRONT, HOSTS, homeOf, LOGIN, memberOf, PORTS, socketOf } from './layout.ts';
import { Network, namespaceFile } from './network.ts';
import type { BaselineSettings } from './settings.ts';
import { makeVolumes, releaseVolumes, thawVolumes } from './volumes.ts';

const USER = 'postgres';
const START_MS = 120_000;
const PLACE = '/tmp/pgherd-baseline-';
/** For what a hung volume has held up to end. */
const END_MS = 1_000;

export class Baseline implements AsyncDisposable {
  readonly ground: Ground;
  readonly tools: Tools;
  readonly hosts: Host[];
  /** HAProxy and the poolers, in this machine's own network. */
  readonly front: Host;
  readonly network: Network;
  /** PEM. */
  readonly ca: string;

  private constructor(ground: Ground, tools: Tools, network: Network) {
    this.ground = ground;
    this.tools = tools;
    this.network = network;
    this.ca = readFileSync(ground.tls.cert, 'utf8');
    const user = serviceUser();
    const programs = { nsenter: isolationPrograms(tools).nsenter, tini: tools.tini.path };
    const { patroni, etcd, haproxy, pgbouncer } = tools;
    const home = (host: number | 'front') => homeOf(ground.directory, host);
    const plan = { user, programs, env: patroni.env };
    this.hosts = HOSTS.map(host => {
      const servers = {
        etcd: [etcd.path, ...etcdFlags(ground, host)],
        patroni: [...patroni.argv, join(home(host), 'patroni.yml')],
      };
      return new Host({ ...plan, network: namespaceFile(host), home: home(host), servers });
    });
    const servers = {
      proxy: [haproxy.path, '-db', '-f', join(home('front'), 'haproxy.cfg')],
      pooler: [pgbouncer.path, '-q', join(home('front'), 'pooler.ini')],
      poolerStandby: [pgbouncer.path, '-q', join(home('front'), 'poolerStandby.ini')],
    };
    this.front = new Host({ ...plan, network: undefined, home: home('front'), servers });
  }

  /** Resolves when the primary takes writes through every endpoint. */
  static async start(settings: BaselineSettings, tools: Tools, signal: AbortSignal): Promise<Baseline> {
    if (process.getuid?.() !== 0) throw new Error('the baselines need root: networks of their own');
    const started = await startTimeOf(process.pid);
    const left = await abandoned();
    const directory = mkdtempSync(`${PLACE}${process.pid}-${started}-`);
    let network: Network | undefined;
    let baseline: Baseline | undefined;
    try {
      network = await Network.make(isolationPrograms(tools));
      for (const ground of left) await removeGround(ground, tools);
      const ground = await layOut(directory, settings, tools, signal);
      baseline = new Baseline(ground, tools, network);
      for (const host of baseline.hosts) host.start();
      await baseline.#prepare(signal);
      baseline.front.start();
      await baseline.#untilServed(signal);
      return baseline;
    } catch (error) {
      if (!signal.aborted) process.stderr.write(logsBelow(directory));
      if (baseline !== undefined) await baseline.#powerOff();
      await network?.[Symbol.asyncDispose]();
      await removeGround(directory, tools);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#powerOff();
    await this.network[Symbol.asyncDispose]();
    await removeGround(this.ground.directory, this.tools);
  }

  async #powerOff(): Promise<void> {
    await thawVolumes(this.ground.directory);
    await Promise.all([...this.hosts, this.front].map(host => host.powerOff()));
  }

  /** Makes the role and the database of the load, as soon as somebody is primary. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { directory, passwords } = this.ground;
    const name = await poll(async inner => (await this.#primary(inner)) ?? undefined, {
      what: 'a primary and two streaming standbys',
      timeoutMs: START_MS,
      everyMs: 250,
      signal,
    });
    const host = HOSTS.find(n => memberOf(n) === name) ?? 0;
    const client = new pg.Client({
      host: socketOf(directory, host),
      port: PORTS.postgres,
      user: 'postgres',
      database: 'postgres',
      connectionTimeoutMillis: 5_000,
      query_timeout: 30_000,
    });
    await client.connect();
    try {
      await client.query(`CREATE ROLE ${LOGIN.user} LOGIN PASSWORD ${pg.escapeLiteral(passwords.load)}`);
      await client.query(`CREATE DATABASE ${LOGIN.database} OWNER ${LOGIN.user}`);
    } finally {
      await client.end();
    }
  }

  /** Name of the primary, once the two others stream. */
  async #primary(signal: AbortSignal): Promise<string | undefined> {
    const answer = await fetch(`http://${addressOf(0)}:${PORTS.patroni}/cluster`, { signal });
    const { members = [] } = (await answer.json()) as {
      members?: { name: string; role: string; state: string }[];
    };
    const streaming = members.filter(({ state }) => state === 'streaming');
    const leader = members.find(({ role, state }) => role === 'leader' && state === 'running');
    return streaming.length === HOSTS.length - 1 ? leader?.name : undefined;
  }

  async #untilServed(signal: AbortSignal): Promise<void> {
    for (const port of [PORTS.primary, PORTS.standby, PORTS.pooler, PORTS.poolerStandby]) {
      const attempt = async () => {
        const client = new pg.Client({
          ...LOGIN,
          host: FRONT,
          port,
          password: this.ground.passwords.load,
          ssl: { ca: this.ca },
          connectionTimeoutMillis: 2_000,
          query_timeout: 2_000,
        });
        client.on('error', () => {});
        try {
          await client.connect();
          await client.query('SELECT 1');
          return true;
        } finally {
          await client.end().catch(() => {});
        }
      };
      const what = `an answer on port ${port}`;
      await poll(attempt, { what, timeoutMs: START_MS, everyMs: 250, signal });
    }
  }
}

/** Directories, certificate and configuration files. */
async function layOut(
  directory: string,
  settings: BaselineSettings,
  tools: Tools,
  signal: AbortSignal,
): Promise<Ground> {
  const { uid, gid } = serviceUser();
  chmodSync(directory, 0o755);
  const own = (path: string) => chownSync(path, uid, gid);
  const write = (path: string, text: string) => {
    writeFileSync(path, text, { mode: 0o600 });
    own(path);
  };
  const tls = { cert: join(directory, 'server.crt'), key: join(directory, 'server.key') };
  const names = [FRONT, ...HOSTS.map(addressOf)].map(address => `IP:${address}`);
  await run(
    [
      ...([tools.openssl.path, 'req', '-x509', '-nodes', '-days', '30', '-subj', '/CN=baseline'] as const),
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-addext', `subjectAltName=DNS:localhost,${names.join(',')}`],
      ...['-keyout', tls.key, '-out', tls.cert],
    ],
    { signal, timeoutMs: 30_000 },
  );
  chmodSync(tls.key, 0o600);
  for (const path of [tls.cert, tls.key]) own(path);
  const passwords = { superuser: 'baseline', replication: 'baseline', load: 'baseline' };
  const ground: Ground = { directory, settings, passwords, tls, binDir: tools.postgres.binDir };
  for (const host of HOSTS) {
    for (const path of [homeOf(directory, host), socketOf(directory, host)]) {
      mkdirSync(path, { mode: 0o755 });
      own(path);
    }
  }
  await makeVolumes(isolationPrograms(tools), directory, { uid, gid }, signal);
  for (const host of HOSTS) {
    write(join(homeOf(directory, host), 'patroni.yml'), patroniYml(ground, host));
  }
  const front = homeOf(directory, 'front');
  mkdirSync(front, { mode: 0o755 });
  own(front);
  write(join(front, 'haproxy.cfg'), haproxyCfg(ground));
  write(join(front, 'userlist.txt'), `"${LOGIN.user}" "${passwords.load}"\n`);
  for (const name of ['pooler', 'poolerStandby'] as const) {
    write(join(front, `${name}.ini`), pgbouncerIni(ground, name, front));
  }
  return ground;
}

/** What benchmarks that were killed have left; what a hung volume of theirs holds up can end now. */
async function abandoned(): Promise<string[]> {
  const left: string[] = [];
  for (const directory of globSync(`${PLACE}*`)) {
    const [pid = '', startTime = ''] = directory.slice(PLACE.length).split('-');
    if (!(await isAlive({ pid: Number(pid), startTime }))) left.push(directory);
  }
  for (const directory of left) await thawVolumes(directory);
  if (left.length > 0) await sleep(END_MS, AbortSignal.timeout(START_MS));
  return left;
}

async function removeGround(directory: string, tools: Tools): Promise<void> {
  await releaseVolumes(isolationPrograms(tools), directory);
  rmSync(directory, { recursive: true, force: true });
}

function serviceUser(): { uid: number; gid: number } {
  if (process.getuid?.() !== 0) return userInfo();
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith(`${USER}:`))
    ?.split(':');
  return { uid: Number(fields?.[2]), gid: Number(fields?.[3]) };
}

/** The ends of all logs, for whoever has to find out why a baseline did not start. */
function logsBelow(directory: string): string {
  const files = [
    ...HOSTS.flatMap(n => ['etcd', 'patroni'].map(name => join(homeOf(directory, n), `${name}.log`))),
    ...['proxy', 'pooler'].map(name => join(homeOf(directory, 'front'), `${name}.log`)),
  ];
  return files
    .map(file => {
      try {
        return `--- ${file}\n${readFileSync(file, 'utf8').slice(-1500)}\n`;
      } catch {
        return '';
      }
    })
    .join('');
}
