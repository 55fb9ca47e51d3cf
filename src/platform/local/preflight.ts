/** What could go wrong on this machine, found out before anything is written. */
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from '../../engine/etcd/config.ts';
import { PATRONI_PORT } from '../../engine/patroni/config.ts';
import { codeOf, PgherdError, RefusedError } from '../../lib/errors.ts';
import type { Owner } from '../../lib/files.ts';
import { endpointAddress, endpointPorts, memberAddress, type Place, VOTERS } from './layout.ts';

const MIB = 1024 * 1024;
/** An empty member takes about 40 MB of data and 48 MB of WAL; below this nothing useful can start. */
const MINIMUM_DISK_PER_MEMBER = 192 * MIB;
/** etcd reserves its log ahead (measured: 123 MB). */
const DISK_PER_VOTER = 130 * MIB;
/** Patroni, etcd and PostgreSQL's own processes, beside shared_buffers (measured: 95 MB). */
const MEMORY_PER_MEMBER = 100 * MIB;
/** sun_path is 108 bytes with its end; the longest socket below run/<id>/ is pooler-standby-NN/.s.PGSQL.NNNNN. */
const SOCKET_PATH_LIMIT = 107;

/** A port that the cluster needs belongs to somebody else. */
export class PortTakenError extends PgherdError {}

export interface Listener {
  address: string;
  port: number;
  use: string;
}

/** Every address and port that the cluster's servers bind, but for isolated members: theirs are their own. */
export function listeners(
  spec: ClusterSpec,
  place: Place,
  port: number,
  listen: string | undefined,
): Listener[] {
  const hosts = place.isolated ? 0 : Math.max(VOTERS, spec.instances);
  const members = Array.from({ length: hosts }, (_, n) => memberAddress(place, n));
  const ports = endpointPorts(port);
  const endpoints: [keyof typeof ports, boolean][] = [
    ['primary', true],
    ['standby', true],
    ['pooler', spec.pooler.primary],
    ['poolerStandby', spec.pooler.standby],
  ];
  return [
    ...members.slice(0, VOTERS).flatMap(address => [
      { address, port: ETCD_CLIENT_PORT, use: 'etcd' },
      { address, port: ETCD_PEER_PORT, use: 'etcd' },
    ]),
    ...members.slice(0, spec.instances).flatMap(address => [
      { address, port, use: 'PostgreSQL' },
      { address, port: PATRONI_PORT, use: 'Patroni' },
    ]),
    ...endpoints
      .filter(([, wanted]) => wanted)
      .flatMap(([name]) => [
        { address: endpointAddress(place.subnet), port: ports[name], use: `endpoint ${name}` },
        ...(listen !== undefined && spec.exposed[name]
          ? [{ address: listen, port: ports[name], use: `endpoint ${name}` }]
          : []),
      ]),
  ];
}

/** The first listener that cannot be bound, with why; undefined: all are free. */
export async function firstTaken(wanted: Listener[]): Promise<(Listener & { why: string }) | undefined> {
  const results = await Promise.all(
    wanted.map(async listener => ({ ...listener, why: await bindError(listener) })),
  );
  for (const { why, ...listener } of results) {
    if (why !== undefined) return { ...listener, why };
  }
  return undefined;
}

async function bindError({ address, port }: Listener): Promise<string | undefined> {
  const server = createServer();
  return await new Promise(resolve => {
    server.once('error', error => resolve(codeOf(error) ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * Chooses the cluster's loopback network 127.64.0 to 127.127.255: where the search starts depends on the cluster's
 * place, so that it keeps its addresses when made again. `obstacle` judges what has no ports: the network of isolated
 * members. Rejects with PortTakenError when a port is taken in every network tried, which means that something
 * listens on all addresses.
 */
export async function chooseSubnet(
  spec: ClusterSpec,
  search: {
    port: number;
    listen: string | undefined;
    key: string;
    used: string[];
    isolated: boolean;
    obstacle(place: Place): Error | undefined;
  },
): Promise<string> {
  const { port, listen, key, used, isolated, obstacle } = search;
  const start = createHash('sha256').update(key).digest().readUInt16BE(0) % (64 * 256);
  let last: Error | undefined;
  for (let n = 0; n < 16; n++) {
    const index = (start + n) % (64 * 256);
    const subnet = `127.${64 + Math.floor(index / 256)}.${index % 256}`;
    if (used.includes(subnet)) continue;
    const place = { subnet, isolated };
    const taken = await firstTaken(listeners(spec, place, port, listen));
    last = taken === undefined ? obstacle(place) : portTaken(taken);
    if (last === undefined) return subnet;
  }
  throw last ?? portTaken({ address: '127.64.0.1', port, use: 'endpoint primary', why: 'no free network' });
}

export function portTaken(taken: Listener & { why: string }): PortTakenError {
  const why =
    taken.why === 'EADDRNOTAVAIL'
      ? 'this machine has no such address'
      : taken.why === 'EADDRINUSE'
        ? 'another program uses it'
        : taken.why;
  return new PortTakenError({
    code: 'port-taken',
    message: `${taken.use} cannot listen on ${taken.address} port ${taken.port}: ${why}`,
    detail: 'nothing was started',
    hint:
      taken.use === 'etcd' || taken.use === 'Patroni'
        ? `stop what listens on port ${taken.port} (find it with: ss -ltnp "sport = :${taken.port}")`
        : `stop what listens there (find it with: ss -ltnp "sport = :${taken.port}"), or give another port with --port`,
  });
}

/** Takes an earlier `--listen` back. */
export const LOOPBACK = 'loopback';

/** `--listen` must be an address of this machine; all addresses at once would collide with the members' own. */
export function checkListen(listen: string | undefined): void {
  if (listen === undefined || listen === LOOPBACK) return;
  const own = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(entry => entry.address));
  if (own.includes(listen)) return;
  const wildcard = listen === '0.0.0.0' || listen === '::';
  throw new RefusedError({
    code: 'listen-address',
    message: wildcard
      ? `--listen ${listen} would take the ports of every address; name the one that clients use`
      : `--listen ${listen} is not an address of this machine`,
    hint: `addresses of this machine: ${own.filter(address => !address.startsWith('fe80')).join(', ')}`,
  });
}

/** Sockets need short paths. */
export function checkSocketPath(run: string): void {
  const longest = join(run, 'pooler-standby-99', '.s.PGSQL.65535');
  if (longest.length <= SOCKET_PATH_LIMIT) return;
  throw new RefusedError({
    code: 'state-path-too-long',
    message: `the state directory's path is ${longest.length - SOCKET_PATH_LIMIT} characters too long for Unix sockets`,
    hint: 'give a shorter one with --state-dir or PGHERD_STATE_DIR',
  });
}

/** The state directory can be made and written, and its servers' user gets in. */
export async function checkStateDirectory(stateDir: string, user: Owner & { name: string }): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o755 });
    await access(stateDir, constants.W_OK);
  } catch (cause) {
    throw new PgherdError({
      code: 'state-not-writable',
      message: `the state directory ${stateDir} cannot be written (${codeOf(cause) ?? 'unknown error'})`,
      hint: 'give another one with --state-dir or PGHERD_STATE_DIR, or run as the user that owns it',
      cause,
    });
  }
  if (process.getuid?.() !== 0) return;
  for (let path = stateDir; path !== dirname(path); path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) !== 0) continue;
    throw new RefusedError({
      code: 'state-not-reachable',
      message: `the servers' user "${user.name}" cannot enter ${path}`,
      hint: `PostgreSQL never runs as root. Choose a state directory elsewhere (--state-dir), or: chmod o+x ${path}`,
    });
  }
}

/** Memory and disk for what the manifest asks. Returns sentences for what is merely tight. */
export async function checkRoom(
  spec: ClusterSpec,
  stateDir: string,
  sharedBuffersBytes: number,
): Promise<string[]> {
  const notes: string[] = [];
  const available = await availableMemory();
  const needed = spec.instances * (sharedBuffersBytes + MEMORY_PER_MEMBER);
  if (available !== undefined && needed > available) {
    throw new RefusedError({
      code: 'not-enough-memory',
      message: `${spec.instances} instances need about ${mib(needed)} of memory, and ${mib(available)} are free`,
      hint: 'lower spec.resources.limits.memory or postgresql.parameters.shared_buffers, or numberOfInstances',
    });
  }
  const disk = await statfs(await nearestExisting(stateDir));
  const free = disk.bavail * disk.bsize;
  const least = spec.instances * MINIMUM_DISK_PER_MEMBER + VOTERS * DISK_PER_VOTER;
  if (free < least) {
    throw new RefusedError({
      code: 'not-enough-disk',
      message: `${stateDir} has ${mib(free)} of disk free; ${spec.instances} instances need at least ${mib(least)} to start`,
      hint: 'free some, or give a state directory on another disk with --state-dir',
    });
  }
  if (free < spec.instances * spec.volume.sizeBytes) {
    notes.push(
      `the disk has ${mib(free)} free, less than the ${mib(spec.instances * spec.volume.sizeBytes)} that spec.volume.size promises to ${spec.instances} instances together`,
    );
  }
  return notes;
}

/** The directory itself, or the one it would be made in. */
async function nearestExisting(path: string): Promise<string> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  return there || path === dirname(path) ? path : await nearestExisting(dirname(path));
}

async function availableMemory(): Promise<number | undefined> {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'));
  return match === null ? undefined : Number(match[1]) * 1024;
}

/** Majors of the data directories that the cluster has. */
export async function dataMajors(data: string): Promise<{ member: string; major: number }[]> {
  const members = await readdir(data).catch(() => []);
  const majors = await Promise.all(
    members.map(async member => {
      const text = await readFile(join(data, member, 'pgdata', 'PG_VERSION'), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : { member, major: Number(text.trim()) };
    }),
  );
  return majors.filter(entry => entry !== undefined);
}

function mib(bytes: number): string {
  return bytes >= 10 * 1024 * MIB
    ? `${(bytes / 1024 / MIB).toFixed(1)} GiB`
    : `${Math.round(bytes / MIB)} MiB`;
}
