/** What a test file left behind on the machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linksOf, loopsBelow, mountsBelow, namespacesOf } from './hosts.ts';
import { eventually, WITHIN } from './poll.ts';
import { processesOf } from './processes.ts';

export interface LeakScope {
  stateDir: string;
  /** TMPDIR and HOME of every command that ran: nothing may stay in there. */
  scratch: string[];
  /** First three numbers of the addresses that clusters had. */
  subnets: string[];
}

/** Sentences about everything left behind, once all clusters are destroyed. Processes get a moment to end. */
export async function findLeaks(scope: LeakScope): Promise<string[]> {
  await eventually('every process of the state directory to end', WITHIN.exit, () => {
    return processesOf(scope.stateDir).length === 0;
  }).catch(() => {});
  return [
    ...processesOf(scope.stateDir).map(({ pid, uid, command }) => `process ${pid} (uid ${uid}): ${command}`),
    ...listening(scope.subnets).map(address => `listening socket: ${address}`),
    ...scope.subnets.flatMap(namespacesOf).map(name => `network namespace: ${name}`),
    ...scope.subnets.flatMap(linksOf).map(name => `network interface: ${name}`),
    ...mountsBelow(scope.stateDir).map(path => `mounted: ${path}`),
    ...loopsBelow(scope.stateDir).map(path => `loop device of ${path}`),
    ...leftFiles(scope.stateDir).map(path => `of a destroyed cluster: ${path}`),
    ...scope.scratch.flatMap(directory =>
      list(directory).map(name => `file outside: ${join(directory, name)}`),
    ),
  ];
}

/** Clusters and run directories below a state directory: destroying a cluster takes its own along. */
function leftFiles(stateDir: string): string[] {
  const clusters = join(stateDir, 'clusters');
  const left = list(clusters).flatMap(namespace =>
    list(join(clusters, namespace)).map(name => join(clusters, namespace, name)),
  );
  return [...left, ...list(join(stateDir, 'run')).map(name => join(stateDir, 'run', name))];
}

/** Addresses in these networks on which something listens, IPv4. */
export function listening(subnets: string[]): string[] {
  const LISTEN = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === LISTEN)
    .map(fields => decode(fields[1] ?? ''))
    .filter(address => subnets.some(subnet => address.startsWith(`${subnet}.`)));
}

/** "0100007F:1538" is 127.0.0.1:5432: the address is in the machine's byte order, little endian. */
function decode(field: string): string {
  const [address = '', port = ''] = field.split(':');
  const bytes = Buffer.from(address, 'hex').reverse();
  return `${[...bytes].join('.')}:${Number.parseInt(port, 16)}`;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
