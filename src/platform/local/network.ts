/**
 * The network of an isolated cluster: a namespace for each host (a member and its voter), each plugged into a
 * switch in a namespace of its own, to which this machine has one interface. Between the hosts no packet meets
 * this machine's own filters, and one removal takes everything along.
 */
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { RefusedError } from '../../lib/errors.ts';
import { CommandError, run } from '../../lib/exec.ts';
import { memberAddress, namespacePath, networkNames, outsideAddress } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import { type IsolationPrograms, isolationPrograms } from './setup/index.ts';

const DIRECTORY = namespacePath('');
/** Type of the file system of a namespace's file; any other is left of a creation that was killed. */
const NSFS = 0x6e736673;
const COMMAND_MS = 10_000;
const SWITCH = 'switch';
const UPLINK = 'outside';
/** The only interface of a host. */
export const HOST_LINK = 'eth0';

/** Makes what is missing for this many hosts, and leaves alone what is there. */
export async function ensureNetwork(
  record: ClusterRecord,
  hosts: number,
  signal: AbortSignal,
): Promise<void> {
  const names = networkNames(record);
  const ordinals = Array.from({ length: hosts }, (_, n) => n);
  await refuseForeignLink(record, signal);
  for (const name of [names.hub, ...ordinals.map(names.host)]) await ensureNamespace(record, name, signal);

  const plugs = await linksOf(record, names.hub, signal);
  const missing = ordinals.filter(n => !plugs.includes(plug(n)));
  // The other end of a plug that has just gone with its switch may linger.
  for (const n of missing)
    await batch(record, names.host(n), signal, [`link delete ${HOST_LINK}`], { mayFail: true });
  await batch(record, names.hub, signal, [
    ...(plugs.includes(SWITCH) ? [] : [`link add name ${SWITCH} type bridge`]),
    ...missing.map(n => `link add name ${plug(n)} type veth peer name ${HOST_LINK} netns ${names.host(n)}`),
    `link set ${SWITCH} up`,
    ...ordinals.map(n => `link set ${plug(n)} master ${SWITCH} up`),
  ]);
  if (!plugs.includes(UPLINK)) {
    await removeLink(record, signal);
    await ip(
      record,
      ['link', 'add', 'name', names.link, 'type', 'veth', 'peer', 'name', UPLINK, 'netns', names.hub],
      signal,
    );
  }
  await batch(record, names.hub, signal, [`link set ${UPLINK} master ${SWITCH} up`]);
  await writeFile(`/proc/sys/net/ipv6/conf/${names.link}/disable_ipv6`, '1').catch(() => {});
  await batch(record, undefined, signal, [
    `link set ${names.link} alias ${mark(record)} up`,
    `address replace ${outsideAddress(record)}/24 dev ${names.link}`,
  ]);
  for (const n of ordinals) {
    await batch(record, names.host(n), signal, [
      'link set lo up',
      `address replace ${memberAddress(record, n)}/24 dev ${HOST_LINK}`,
      `link set ${HOST_LINK} up`,
    ]);
  }
}

/** Takes one host away. Its servers have ended. */
export async function removeHost(record: ClusterRecord, ordinal: number, signal: AbortSignal): Promise<void> {
  const names = networkNames(record);
  if (await isNamespace(names.hub)) {
    await batch(record, names.hub, signal, [`link delete ${plug(ordinal)}`], { mayFail: true });
  }
  await removeNamespace(record, names.host(ordinal), signal);
}

/** Takes the whole network away, also one that was half made; another cluster's is left alone. */
export async function removeNetwork(record: ClusterRecord, signal: AbortSignal): Promise<void> {
  const names = networkNames(record);
  const owner = await markOfLink(record, signal);
  if (owner !== undefined && owner !== '' && owner !== mark(record)) return;
  const hosts = (await namespaces()).filter(name => name.startsWith(`${names.hub}-`));
  for (const name of hosts) await removeHost(record, Number(name.slice(names.hub.length + 1)), signal);
  // The kernel takes its time with the interfaces of a deleted namespace: this one's name has to be free at once.
  await removeLink(record, signal);
  await removeNamespace(record, names.hub, signal);
}

/**
 * Whether this machine lets us make networks: undefined, or why not. Tries it, and leaves nothing behind.
 */
export async function networkObstacle(
  programs: IsolationPrograms,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = `pgherd-probe-${process.pid}`;
  const options = { signal, timeoutMs: COMMAND_MS };
  try {
    await run([programs.ip, 'netns', 'add', name], options);
    await run(
      [programs.ip, '-n', name, 'link', 'add', 'name', 'a', 'type', 'veth', 'peer', 'name', 'b'],
      options,
    );
    await run([programs.ip, '-n', name, 'link', 'add', 'name', 'c', 'type', 'bridge'], options);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.detail ?? error.message;
  } finally {
    await run([programs.ip, 'netns', 'delete', name], { ...options, okCodes: [0, 1, 2] }).catch(() => {});
    await rm(namespacePath(name), { force: true }).catch(() => {});
  }
}

/**
 * Ends what this machine still holds open to a host's PostgreSQL. A kernel that cannot
 * (CONFIG_INET_DIAG_DESTROY) ends nothing.
 */
export async function endConnections(
  record: ClusterRecord,
  ordinal: number,
  signal: AbortSignal,
): Promise<void> {
  const { ss } = isolationPrograms(record.programs);
  const there = ['dst', memberAddress(record, ordinal), 'and', 'dport', '=', `:${record.port}`];
  await run([ss, '-Ktn', ...there], { signal, timeoutMs: COMMAND_MS });
}

/** Where packets of this machine go now, whatever table says so. */
export async function readRoutes(
  programs: IsolationPrograms,
  signal: AbortSignal,
): Promise<{ dst: string; dev?: string }[]> {
  const argv = [programs.ip, '-j', '-4', 'route', 'show', 'table', 'all'] as const;
  const { stdout } = await run(argv, { signal, timeoutMs: COMMAND_MS });
  return JSON.parse(stdout || '[]');
}

/** Who made the interface that leads into this network: undefined where there is none. */
async function markOfLink(record: ClusterRecord, signal: AbortSignal): Promise<string | undefined> {
  const argv = [
    isolationPrograms(record.programs).ip,
    '-j',
    'link',
    'show',
    networkNames(record).link,
  ] as const;
  const { code, stdout } = await run(argv, { signal, timeoutMs: COMMAND_MS, okCodes: [0, 1] });
  if (code !== 0) return undefined;
  const [link] = JSON.parse(stdout || '[]') as { ifalias?: string }[];
  return link?.ifalias ?? '';
}

/** The interface with our name may be another cluster's, of another state directory. */
export async function refuseForeignLink(record: ClusterRecord, signal: AbortSignal): Promise<void> {
  const owner = await markOfLink(record, signal);
  if (owner === undefined || owner === '' || owner === mark(record)) return;
  const { link } = networkNames(record);
  throw new RefusedError({
    code: 'network-taken',
    message: `the interface ${link} of this machine belongs to another cluster, which has the same addresses`,
    detail: `its mark is "${owner}", ours would be "${mark(record)}"`,
    hint: `stop the other cluster (it is in another state directory); if there is none any more: ip link delete ${link}`,
  });
}

/** Tells our interface from one of another cluster with the same addresses, in another state directory. */
function mark(record: ClusterRecord): string {
  return `pgherd:${record.uid}`;
}

function plug(ordinal: number): string {
  return `host${ordinal}`;
}

async function namespaces(): Promise<string[]> {
  return await readdir(DIRECTORY).catch(() => []);
}

export async function isNamespace(name: string): Promise<boolean> {
  return await statfs(namespacePath(name)).then(
    ({ type }) => type === NSFS,
    () => false,
  );
}

async function ensureNamespace(record: ClusterRecord, name: string, signal: AbortSignal): Promise<void> {
  if (!(await isNamespace(name))) {
    await rm(namespacePath(name), { force: true });
    await ip(record, ['netns', 'add', name], signal);
  }
  // Members know each other's IPv4 addresses only: no packet shall find a way around the filters of a drill.
  const script =
    'for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null; :';
  await run(enter(record, name, ['/bin/sh', '-c', script]), { signal, timeoutMs: COMMAND_MS });
}

async function removeNamespace(record: ClusterRecord, name: string, signal: AbortSignal): Promise<void> {
  if (!(await namespaces()).includes(name)) return;
  if (await isNamespace(name)) await ip(record, ['netns', 'delete', name], signal);
  else await rm(namespacePath(name), { force: true });
}

async function removeLink(record: ClusterRecord, signal: AbortSignal): Promise<void> {
  await batch(record, undefined, signal, [`link delete ${networkNames(record).link}`], { mayFail: true });
}

/** Names of the interfaces in a namespace. */
async function linksOf(record: ClusterRecord, namespace: string, signal: AbortSignal): Promise<string[]> {
  const argv = [isolationPrograms(record.programs).ip, '-n', namespace, '-j', 'link', 'show'] as const;
  const { stdout } = await run(argv, { signal, timeoutMs: COMMAND_MS });
  return (JSON.parse(stdout || '[]') as { ifname: string }[]).map(link => link.ifname);
}

/** A command inside a namespace. */
export function enter(
  record: ClusterRecord,
  namespace: string,
  argv: readonly string[],
): [string, ...string[]] {
  return [isolationPrograms(record.programs).nsenter, `--net=${namespacePath(namespace)}`, ...argv];
}

/** `ip` with one command a line, in a namespace or (undefined) here. */
async function batch(
  record: ClusterRecord,
  namespace: string | undefined,
  signal: AbortSignal,
  lines: string[],
  options: { mayFail?: boolean } = {},
): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const argv: [string, ...string[]] = [isolationPrograms(record.programs).ip, ...where, '-batch', '-'];
  const okCodes = options.mayFail === true ? [0, 1, 2] : [0];
  await run(argv, { signal, timeoutMs: COMMAND_MS, input: `${lines.join('\n')}\n`, okCodes });
}

async function ip(record: ClusterRecord, args: string[], signal: AbortSignal): Promise<void> {
  await run([isolationPrograms(record.programs).ip, ...args], { signal, timeoutMs: COMMAND_MS });
}
