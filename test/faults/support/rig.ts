/**
 * A cluster to be broken: three members, synchronous, poolers for both roles. Knows where its processes are, puts
 * load on it, and holds it to what it acknowledged.
 */
import { afterEach, beforeAll, beforeEach } from 'vitest';
import type { EventsDocument, MemberDocument, StatusDocument } from '../../../src/cli/schema.ts';
import { Cluster, type EndpointKey } from '../../support/cluster.ts';
import { manifest } from '../../support/manifest.ts';
import { eventually } from '../../support/poll.ts';
import { integration, type Sandbox } from '../../support/sandbox.ts';
import { prepareLedger, type WriterOptions } from '../../support/writer.ts';
import { Load } from './load.ts';

/** Whoever works with the database. */
export const LOGIN = { user: 'bauer', database: 'firmendaten' };

/** How long the cluster may take to be whole again after a fault, with two busy cores. */
const HEAL_MS = 60_000;

/** A block of tests that share one cluster, which is healthy before each of them. */
export function faults(title: string, name: string, body: (rig: Rig) => void, spec = {}): void {
  integration(title, sandbox => {
    const rig = new Rig(sandbox, name, spec);
    beforeAll(async () => {
      await rig.cluster.up(rig.manifest);
      await prepareLedger(await rig.cluster.target('primary', LOGIN));
    });
    // A test that failed must not make the next one fail: `up` mends what does not heal by itself.
    beforeEach(async () => {
      await rig.healthy(30_000).catch(async () => {
        await rig.cluster.up(rig.manifest);
        await rig.healthy();
      });
    });
    afterEach(async () => await rig.release());
    body(rig);
  });
}

export class Rig {
  readonly sandbox: Sandbox;
  readonly cluster: Cluster;
  readonly manifest: string;
  readonly #busy: { stop(): Promise<unknown> }[] = [];
  #nextIds = 0;

  constructor(sandbox: Sandbox, name: string, spec: Record<string, unknown>) {
    this.sandbox = sandbox;
    this.cluster = new Cluster(sandbox, name);
    const text = manifest({
      name,
      instances: 3,
      spec: { enableConnectionPooler: true, enableReplicaConnectionPooler: true, ...spec },
    });
    this.manifest = sandbox.file(`${name}.yaml`, text);
  }

  /** Waits until `status` says healthy. A failure says what it said instead. */
  async healthy(withinMs = HEAL_MS): Promise<StatusDocument> {
    return await eventually('status to say healthy', withinMs, async () => {
      const status = await this.cluster.status();
      if (status.verdict !== 'healthy') throw new Error(status.sentence + status.reasons.join('; '));
      return status;
    });
  }

  /** Waits until exactly one member is primary, and it is another one than `old`. */
  async newPrimary(old: MemberDocument, withinMs: number): Promise<MemberDocument> {
    return await eventually(`a primary other than ${old.name}`, withinMs, async () => {
      const { members, sentence } = await this.cluster.status();
      const [primary, second] = members.filter(member => member.role === 'primary');
      if (primary === undefined || second !== undefined || primary.name === old.name)
        throw new Error(`${sentence}\n${await this.#lastEvents()}`);
      return primary;
    });
  }

  /** What the control plane has said of it: the reason why nothing happens is there. */
  async #lastEvents(): Promise<string> {
    const { events } = await this.cluster.sandbox.json<EventsDocument>(['events', this.cluster.name]);
    return events
      .slice(-8)
      .map(({ at, actor, event, message }) => `${at} ${actor} ${event}: ${message}`)
      .join('\n');
  }

  /** Is stopped at the end of the test, also when that fails before it does so itself. */
  keep<T extends { stop(): Promise<unknown> }>(busy: T): T {
    this.#busy.push(busy);
    return busy;
  }

  async release(): Promise<void> {
    await Promise.all(this.#busy.splice(0).map(busy => busy.stop()));
  }

  /** A range of a million ids that nobody else writes. */
  ids(): number {
    this.#nextIds += 1_000_000;
    return this.#nextIds;
  }

  /** A recording writer through the pooler and a reader through the standby pooler, both at work already. */
  async load(options: WriterOptions & { through?: EndpointKey } = {}): Promise<Load> {
    const { through = 'pooler', ...rest } = options;
    const write = await this.cluster.target(through, LOGIN);
    const read = await this.cluster.target('poolerStandby', LOGIN);
    const load = this.keep(new Load(write, read, rest, this.ids()));
    await load.goesOn();
    return load;
  }

  /** Who answers behind an endpoint: the address of the PostgreSQL server. */
  async behind(endpoint: EndpointKey): Promise<string> {
    await using sql = await this.cluster.connect(endpoint, LOGIN);
    return await sql.value('SELECT host(inet_server_addr())');
  }

  /** Waits until an endpoint leads to this server. */
  async leadsTo(endpoint: EndpointKey, { name, address }: MemberDocument, withinMs = 15_000): Promise<void> {
    await eventually(`${endpoint} to lead to ${name}`, withinMs, async () => {
      return (await this.behind(endpoint)) === address;
    });
  }
}

export function thePrimary(status: StatusDocument): MemberDocument {
  return find(status, member => member.role === 'primary');
}

/** A standby that commits wait for, or one that they do not. */
export function aStandby(status: StatusDocument, which: { synchronous: boolean }): MemberDocument {
  return find(status, ({ role, synchronous }) => role === 'standby' && synchronous === which.synchronous);
}

function find(status: StatusDocument, matches: (member: MemberDocument) => boolean): MemberDocument {
  const member = status.members.find(matches);
  if (member === undefined) throw new Error(`no such member: ${JSON.stringify(status.members)}`);
  return member;
}

/** The voter that stands on the same machine as a member, `etcd-1` for `name-1`. */
export function voterOf({ name }: MemberDocument): string {
  return `etcd${name.slice(name.lastIndexOf('-'))}`;
}

/** What was measured, for people who read the run's output. */
export function figures(title: string, values: Record<string, string | number>): void {
  const text = Object.entries(values).map(
    ([key, value]) => `${key} ${typeof value === 'number' ? Math.round(value) : value}`,
  );
  process.stdout.write(`FIGURES ${title}: ${text.join(', ')}\n`);
}
