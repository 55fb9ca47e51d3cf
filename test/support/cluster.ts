/** One cluster of a sandbox, reached the way its users reach it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  MemberDocument,
  PasswordDocument,
  PlanDocument,
  StatusDocument,
  UpDocument,
} from '../../src/cli/schema.ts';
import { ask, type Certificate } from './http.ts';
import { eventually, WITHIN } from './poll.ts';
import { identities, serversOf } from './processes.ts';
import type { RunOptions, Sandbox } from './sandbox.ts';
import { Sql, type Target } from './sql.ts';

export type EndpointKey = 'primary' | 'standby' | 'pooler' | 'poolerStandby';

export interface Login {
  user?: string;
  database?: string;
  password?: string;
  tls?: false;
}

export class Cluster {
  readonly sandbox: Sandbox;
  readonly name: string;
  readonly namespace: string;
  readonly #passwords = new Map<string, string>();
  #endpoints: StatusDocument['endpoints'] | undefined;

  constructor(sandbox: Sandbox, name: string, namespace = 'default') {
    this.sandbox = sandbox;
    this.name = name;
    this.namespace = namespace;
  }

  get root(): string {
    return join(this.sandbox.stateDir, 'clusters', this.namespace, this.name);
  }

  get ca(): string {
    return readFileSync(join(this.root, 'ca.crt'), 'utf8');
  }

  /** Runs `up`, which has to succeed. */
  async up(file: string, flags: string[] = [], options: RunOptions = {}): Promise<UpDocument> {
    // Its own deadline comes first, since it says what is waited for.
    const words = ['up', file, '--timeout', `${WITHIN.command / 1000 - 20}s`, ...flags];
    const document = await this.sandbox.json<UpDocument>(words, options);
    this.#endpoints = document.endpoints;
    return document;
  }

  async plan(file: string): Promise<PlanDocument> {
    return await this.sandbox.json(['plan', file]);
  }

  async status(): Promise<StatusDocument> {
    const words = ['status', this.name, '-n', this.namespace];
    // 2: degraded, which is an answer as well.
    const document = await this.sandbox.json<StatusDocument>(words, { exitCodes: [0, 1, 2] });
    this.#endpoints = document.endpoints;
    return document;
  }

  /** Waits until there is one primary and every other member streams. */
  async whole(members: number, withinMs: number = WITHIN.streaming): Promise<StatusDocument> {
    return await eventually(`${members} members of ${this.name}, all well`, withinMs, async () => {
      const status = await this.status();
      const well = status.members.filter(member => member.role === 'primary' || member.state === 'streaming');
      const primaries = status.members.filter(member => member.role === 'primary');
      if (well.length === members && status.members.length === members && primaries.length === 1)
        return status;
      await delay(250);
      return undefined;
    });
  }

  async primary(): Promise<MemberDocument> {
    const { members } = await this.status();
    const [primary] = members.filter(member => member.role === 'primary');
    if (primary === undefined) throw new Error(`no primary: ${JSON.stringify(members)}`);
    return primary;
  }

  async password(user: string): Promise<string> {
    const known = this.#passwords.get(user);
    if (known !== undefined) return known;
    const words = ['password', this.name, user, '-n', this.namespace];
    const { password } = await this.sandbox.json<PasswordDocument>(words);
    this.#passwords.set(user, password);
    return password;
  }

  /** Where an endpoint or a server is and who to be there: the superuser in `postgres` unless `login` says otherwise. */
  async target(where: EndpointKey | { host: string; port: number }, login: Login = {}): Promise<Target> {
    const { user = 'postgres', database = 'postgres', tls } = login;
    const password = login.password ?? (await this.password(user));
    return { ...(await this.#address(where)), user, database, password, tls: tls ?? this.ca };
  }

  async connect(where: EndpointKey | { host: string; port: number }, login: Login = {}): Promise<Sql> {
    return await Sql.open(await this.target(where, login));
  }

  async connectMember(member: MemberDocument, login: Login = {}): Promise<Sql> {
    return await this.connect({ host: member.address, port: member.port }, login);
  }

  /** What Patroni of a member answers, asked with the control plane's certificate. */
  async patroni(member: MemberDocument | undefined, path: string): Promise<unknown> {
    if (member === undefined) throw new Error('no such member');
    const answer = await ask(this.ca, { host: member.address, port: 8008, path }, this.certificate);
    return JSON.parse(answer.body);
  }

  /** The control plane's own certificate. */
  get certificate(): Certificate {
    const file = (name: string) => readFileSync(join(this.root, 'tls', name));
    return { cert: file('control.crt'), key: file('control.key') };
  }

  /** How many processes there are of each kind, haproxy and its worker left out. */
  census(): Record<'tini' | 'etcd' | 'postgres' | 'pgbouncer', number> {
    const names = serversOf(this.root).map(info => info.name);
    const count = (name: string) => names.filter(other => other === name).length;
    return {
      tini: count('tini'),
      etcd: count('etcd'),
      postgres: count('postgres'),
      pgbouncer: count('pgbouncer'),
    };
  }

  /** Every server of the state directory, to tell whether one was started again. */
  servers(): string[] {
    return identities(this.sandbox.stateDir);
  }

  async #address(
    where: EndpointKey | { host: string; port: number },
  ): Promise<{ host: string; port: number }> {
    if (typeof where !== 'string') return where;
    const endpoints = this.#endpoints ?? (await this.status()).endpoints;
    const address = endpoints[where];
    if (address === null) throw new Error(`${this.name} has no endpoint ${where}`);
    return address;
  }
}
