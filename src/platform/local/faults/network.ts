/** Broken networks: packets dropped and interfaces down, in the namespace of an isolated member's host. */
import { randomBytes } from 'node:crypto';
import { PgherdError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import { componentKind, memberAddress, networkNames, ordinalOf, outsideAddress, VOTERS } from '../layout.ts';
import { enter, HOST_LINK, isNamespace } from '../network.ts';
import { listServices } from '../runit.ts';
import { isolationPrograms } from '../setup/index.ts';
import type { FaultContext, FaultOf, Injector, Prepared } from './injector.ts';
import { memberObstacle } from './members.ts';
import {
  cutRules,
  deletions,
  forgetRules,
  peerPorts,
  type Surroundings,
  transaction,
} from './packetRules.ts';

const COMMAND_MS = 10_000;

export const cut: Injector<FaultOf<'cut'>> = {
  obstacle: ({ member }, context) => networkObstacle(member, context),

  async prepare(fault, context) {
    const { member, peers, direction } = fault;
    const tag = newTag();
    const rules = cutRules(fault, await surroundings(member, context), tag);
    const what = direction === 'both' ? 'every packet' : `every ${direction} packet`;
    const whose = {
      everyone: 'anybody',
      dcs: 'etcd',
      members: 'other members',
      clients: 'clients and endpoints',
    };
    return dropping(`${what} between ${member} and ${whose[peers]} is dropped`, rules, tag, member, context);
  },
};

export const forgetConnections: Injector<FaultOf<'forget-connections'>> = {
  obstacle: ({ member }, context) => networkObstacle(member, context),

  async prepare({ member }, context, signal) {
    const around = await surroundings(member, context);
    const ports = await clientPorts(member, around, context, signal);
    if (ports.length === 0) {
      throw new PgherdError({
        code: 'no-such-connection',
        message: `nobody is connected to ${member} from outside now: there is no connection to forget`,
      });
    }
    const tag = newTag();
    const what = `packets of the ${ports.length} connections that clients and endpoints have to ${member} now are dropped`;
    return dropping(what, forgetRules(ports, around, tag), tag, member, context);
  },
};

export const linkDown: Injector<FaultOf<'link-down'>> = {
  obstacle: ({ member }, context) => networkObstacle(member, context),

  async prepare({ member }, context) {
    const namespace = namespaceOf(member, context);
    return {
      description: `the network interface of ${member}'s host is down`,
      weaker: undefined,
      undo: [{ kind: 'link-up', namespace }],
      async act(done, signal) {
        await setLink(namespace, 'down', context, signal);
        done();
      },
    };
  },
};

/** The interface of a member's host, for faults that take more than the network. */
export async function setLink(
  namespace: string,
  state: 'up' | 'down',
  { record }: FaultContext,
  signal: AbortSignal,
): Promise<void> {
  const { ip } = isolationPrograms(record.programs);
  await run([ip, '-n', namespace, 'link', 'set', HOST_LINK, state], { signal, timeoutMs: COMMAND_MS });
}

/** Undoes `link-down`. Without the namespace there is nothing to undo: `up` makes a new one. */
export async function raiseLink(
  { namespace }: { namespace: string },
  context: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!(await isNamespace(namespace))) return undefined;
  await setLink(namespace, 'up', context, signal);
  return `the interface in ${namespace} is up`;
}

/** Undoes `cut` and `forget-connections`, also when only some of the rules are there. */
export async function dropRules(
  { namespace, tag }: { namespace: string; tag: string },
  context: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!(await isNamespace(namespace))) return undefined;
  const saved = await filter('save', namespace, context, '', signal);
  const lines = deletions(saved, tag);
  if (lines.length === 0) return undefined;
  await filter('restore', namespace, context, transaction(lines), signal);
  return `${lines.length} packet rules of ${namespace} were taken back`;
}

export function namespaceOf(member: string, { record }: FaultContext): string {
  return networkNames(record).host(ordinalOf(member));
}

/** Why the network of this member cannot be broken; undefined: it can. */
async function networkObstacle(member: string, context: FaultContext): Promise<string | undefined> {
  const { record } = context;
  if (!record.isolated) {
    return `the members of ${record.name} share this machine's network: this fault needs a cluster made with \`pgherd up --isolate\``;
  }
  const unknown = await memberObstacle(member, context);
  if (unknown !== undefined) return unknown;
  if (process.getuid?.() !== 0) return 'breaking a network needs root: run the same command with sudo';
  if (await isNamespace(namespaceOf(member, context))) return undefined;
  return `the network of ${member} is not there: \`pgherd up\` makes it`;
}

function dropping(
  description: string,
  rules: string[],
  tag: string,
  member: string,
  context: FaultContext,
): Prepared {
  const namespace = namespaceOf(member, context);
  return {
    description: `${description} (${rules.length} rules of iptables in the network namespace ${namespace})`,
    weaker: undefined,
    undo: [{ kind: 'packet-rules', namespace, tag }],
    async act(done, signal) {
      await filter('restore', namespace, context, transaction(rules), signal);
      done();
    },
  };
}

function newTag(): string {
  return `pgherd-drill-${randomBytes(6).toString('hex')}`;
}

async function surroundings(member: string, { record, paths }: FaultContext): Promise<Surroundings> {
  const members = (await listServices(paths.services)).filter(name => componentKind(name) === 'member');
  const hosts = Math.max(VOTERS, 1 + Math.max(...members.map(ordinalOf)));
  const others = Array.from({ length: hosts }, (_, n) => n).filter(n => n !== ordinalOf(member));
  return {
    link: HOST_LINK,
    outside: outsideAddress(record),
    others: others.map(n => memberAddress(record, n)),
    port: record.port,
  };
}

/** Ports of the outside from which somebody is connected to the member's PostgreSQL, as its kernel knows them. */
async function clientPorts(
  member: string,
  { outside, port }: Surroundings,
  context: FaultContext,
  signal: AbortSignal,
): Promise<number[]> {
  const { ss } = isolationPrograms(context.record.programs);
  const query = [ss, '-Htn', 'state', 'established', 'sport', '=', `:${port}`, 'and', 'dst', outside];
  const argv = enter(context.record, namespaceOf(member, context), query);
  const { stdout } = await run(argv, { signal, timeoutMs: COMMAND_MS });
  return peerPorts(stdout);
}

async function filter(
  what: 'save' | 'restore',
  namespace: string,
  context: FaultContext,
  input: string,
  signal: AbortSignal,
): Promise<string> {
  const { iptables } = isolationPrograms(context.record.programs);
  // Without --noflush a restore would take everybody else's rules away.
  const args = what === 'save' ? ['-t', 'filter'] : ['--noflush', '--wait', '5'];
  const argv = enter(context.record, namespace, [`${iptables}-${what}`, ...args]);
  return (await run(argv, { signal, timeoutMs: COMMAND_MS, input })).stdout;
}
