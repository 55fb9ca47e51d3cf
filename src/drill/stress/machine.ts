import { readFileSync } from 'node:fs';
import { cpus, networkInterfaces } from 'node:os';
import { RefusedError } from '../../lib/errors.ts';

/** What the program itself, its threads and the tools around need. */
const OWN_DESCRIPTORS = 150;

export interface MachineLimits {
  /** Files and sockets that one process may have open; undefined: not known. */
  descriptors: number | undefined;
  /** Local ports for connections to one address. */
  ports: number | undefined;
}

/** Linux's own word for it; Node raises the soft limit to the hard one when it starts. */
export function machineLimits(): MachineLimits {
  const open = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1];
  const [low, high] = read('/proc/sys/net/ipv4/ip_local_port_range').trim().split(/\s+/).map(Number);
  return {
    descriptors: open === undefined ? undefined : Number(open),
    ports: low === undefined || high === undefined ? undefined : high - low + 1,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Refuses more clients than this process may open connections, with the command that raises the limit. */
export function checkClients(clients: number, limits: MachineLimits): void {
  const { descriptors, ports } = limits;
  const needed = clients + OWN_DESCRIPTORS;
  if (descriptors !== undefined && needed > descriptors) {
    throw new RefusedError({
      code: 'too-many-clients',
      message: `${clients} clients need ${needed} file descriptors, and this process may have ${descriptors}`,
      hint: `take at most ${descriptors - OWN_DESCRIPTORS} clients, or raise the limit before: ulimit -n ${needed}\n(as root, or in /etc/security/limits.conf)`,
    });
  }
  if (ports !== undefined && clients > ports) {
    throw new RefusedError({
      code: 'too-many-clients',
      message: `${clients} clients need as many local ports, and this machine has ${ports} for one address`,
      hint: `take at most ${ports} clients, or widen net.ipv4.ip_local_port_range (sysctl)`,
    });
  }
}

/** Whether an address is one of this machine's: then servers and generator share its processors. */
export function isThisMachine(host: string): boolean {
  if (/^(127\.|::1$|localhost$)/.test(host)) return true;
  return Object.values(networkInterfaces()).some(addresses =>
    addresses?.some(({ address }) => address === host),
  );
}

/** Begins to measure how busy the processors are; the result is the share of time since then. */
export function watchProcessors(): () => number {
  const before = times();
  return () => {
    const after = times();
    const total = after.total - before.total;
    return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
  };
}

function times(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times: spent } of cpus()) {
    idle += spent.idle;
    total += spent.user + spent.nice + spent.sys + spent.idle + spent.irq;
  }
  return { idle, total };
}
