/**
 * What isolated members stand on: a network namespace for each host, a volume for each member. Made before the
 * servers start, also after a reboot, and taken away when they are stopped. Nothing to do for other clusters.
 */
import { RefusedError } from '../../lib/errors.ts';
import { componentKind, memberNetwork, networkNames, ordinalOf, type Paths, type Place } from './layout.ts';
import { ensureNetwork, networkObstacle, removeHost, removeNetwork } from './network.ts';
import type { ClusterRecord } from './record.ts';
import type { IsolationPrograms } from './setup/index.ts';
import { ensureVolume, releaseVolumes } from './volumes.ts';

interface Ground {
  record: ClusterRecord;
  paths: Paths;
}

/** @param servers names of the servers that are to run. */
export async function ensureHosts(
  { record, paths }: Ground,
  servers: string[],
  signal: AbortSignal,
): Promise<void> {
  if (!record.isolated) return;
  const hosted = servers.filter(isHosted);
  if (hosted.length === 0) return;
  await ensureNetwork(record, 1 + Math.max(...hosted.map(ordinalOf)), signal);
  for (const member of hosted.filter(name => componentKind(name) === 'member')) {
    await ensureVolume(record, paths, member, signal);
  }
}

/** Takes the host of a server away when none of the servers that are left is on it. */
export async function releaseHost(
  { record }: Ground,
  server: string,
  left: string[],
  signal: AbortSignal,
): Promise<void> {
  if (!record.isolated || !isHosted(server)) return;
  if (left.some(name => isHosted(name) && ordinalOf(name) === ordinalOf(server))) return;
  await removeHost(record, ordinalOf(server), signal);
}

/** Once every server has ended. */
export async function releaseHosts({ record, paths }: Ground, signal: AbortSignal): Promise<void> {
  if (!record.isolated) return;
  await releaseVolumes(record, paths, signal);
  await removeNetwork(record, signal);
}

/** Endpoints are outside the members' hosts. */
function isHosted(server: string): boolean {
  return ['member', 'etcd'].includes(componentKind(server));
}

export function refuseWithoutRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new RefusedError({
    code: 'root-needed',
    message: 'members with a network and a volume of their own can only be made and stopped by root',
    detail: 'nothing was touched',
    hint: 'run the same command with sudo, or leave out --isolate',
  });
}

/** Containers often have no right to make networks, whoever one is in them. */
export async function refuseWithoutNamespaces(
  programs: IsolationPrograms,
  signal: AbortSignal,
): Promise<void> {
  const obstacle = await networkObstacle(programs, signal);
  if (obstacle === undefined) return;
  throw new RefusedError({
    code: 'no-namespaces',
    message: 'this machine does not let pgherd make networks of their own for the members',
    detail: obstacle,
    hint: 'in a container: give it the rights (CAP_SYS_ADMIN and CAP_NET_ADMIN), or leave out --isolate',
  });
}

/**
 * Why the members of a cluster cannot have their network: something else on this machine has addresses in it or
 * leads there. `owner`: whose an interface with the name of this network's own is.
 */
export function networkTaken(
  place: Place,
  routes: { dst: string; dev?: string }[],
  owner: 'ours' | 'nobody',
): RefusedError | undefined {
  const network = `${memberNetwork(place)}.0/24`;
  const { link } = networkNames(place);
  const other = routes.find(({ dst, dev }) => !(dev === link && owner === 'ours') && overlaps(dst, network));
  if (other === undefined) return undefined;
  return new RefusedError({
    code: 'network-taken',
    message: `isolated members need the network ${network}, and this machine already has a route to ${other.dst}${other.dev === undefined ? '' : ` (${other.dev})`}`,
    detail: 'nothing was touched',
    hint: 'see `ip route show table all`; without --isolate the members use loopback addresses only',
  });
}

/** Whether two IPv4 networks have addresses in common; "default" does not count, since it leads everywhere. */
function overlaps(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)];
  if (a === undefined || b === undefined) return false;
  const bits = Math.min(a.bits, b.bits);
  if (bits === 0) return false;
  const part = 2 ** (32 - bits);
  return Math.floor(a.address / part) === Math.floor(b.address / part);
}

function parse(network: string): { address: number; bits: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(network);
  if (match === null) return undefined;
  const [, a, b, c, d, bits] = match.map(Number);
  const address = [a, b, c, d].reduce<number>((sum, part) => sum * 256 + (part ?? 0), 0);
  return { address, bits: match[5] === undefined ? 32 : (bits ?? 32) };
}
