/** One cluster on this machine, behind the platform contract. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import type { Action, Desired } from '../../core/plan/action.ts';
import { desiredUsers } from '../../core/plan/catalog.ts';
import type { MemberObservation, Observation } from '../../core/topology/observation.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import { type ChangeContext, changeCatalog, readCatalog } from '../../engine/postgres/catalog.ts';
import { Session } from '../../engine/postgres/connection.ts';
import { PgherdError } from '../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../lib/files.ts';
import { takeLock } from '../../lib/lock.ts';
import { poll } from '../../lib/time.ts';
import type {
  ApplyContext,
  Credentials,
  LogLine,
  LogOptions,
  ObserveOptions,
  PlatformCluster,
} from '../contract.ts';
import {
  layOut,
  listAside,
  type Machine,
  prepareDirectories,
  reloadComponent,
  removeComponent,
  restartComponent,
  startComponent,
  startSupervisor,
  stopAll,
} from './apply.ts';
import { ensureCertificates } from './certificates.ts';
import { ClientPool } from './clients.ts';
import { FileJournal } from './journal.ts';
import type { Keeper } from './keeperService.ts';
import {
  clusterPaths,
  componentKind,
  desiredComponents,
  endpointAddress,
  endpointPorts,
  memberAddress,
  type Paths,
  VOTERS,
} from './layout.ts';
import { readLogs } from './logs.ts';
import { endpointObservations, observeComponents, observeDcs, observeMembers, seenFile } from './observe.ts';
import { memberOperations } from './operations.ts';
import { type ClusterRecord, readRecord, writeRecord } from './record.ts';
import { DetachedProcess, listServices } from './runit.ts';
import { SecretStore } from './secrets.ts';
import {
  desiredDynamicConfig,
  listenAddresses,
  poolerTargetFile,
  primaryTarget,
  renderService,
  type Service,
  standbyTarget,
} from './services.ts';

export interface LocalClusterInput {
  stateDir: string;
  record: ClusterRecord;
  spec: ClusterSpec;
  manifest: string;
  notes: string[];
  keeper: Keeper;
}

export class LocalCluster implements PlatformCluster {
  readonly ref;
  readonly notes: string[];
  readonly caFile: string;
  readonly journal: FileJournal;
  readonly patroni;
  readonly spec: ClusterSpec;
  readonly #manifest: string;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #clients: ClientPool;
  readonly #supervisor: DetachedProcess;
  readonly #keeper: Keeper;
  #record: ClusterRecord;
  /** As of the last look. */
  #primary: MemberObservation | undefined;
  /** What rendering needs from disk: passwords, and a fingerprint of the certificates. */
  #material: { passwords: Record<string, string>; certificates: string } | undefined;

  constructor(input: LocalClusterInput) {
    const { record, spec } = input;
    this.ref = { name: record.name, namespace: record.namespace };
    this.notes = input.notes;
    this.spec = spec;
    this.#manifest = input.manifest;
    this.#record = record;
    this.#paths = clusterPaths(input.stateDir, record.namespace, record.name, record.subnet);
    this.caFile = this.#paths.ca;
    this.journal = new FileJournal(this.#paths.journal);
    this.#secrets = new SecretStore(this.#paths.secrets, record.name);
    this.#clients = new ClientPool(this.#paths, record);
    this.#supervisor = new DetachedProcess(
      join(this.#paths.root, 'supervisor.json'),
      join(this.#paths.root, 'supervisor.log'),
    );
    this.#keeper = input.keeper;
    this.patroni = memberOperations(this.#clients);
  }

  async appliedManifest(): Promise<string | undefined> {
    return await readIfExists(this.#paths.manifest);
  }

  async record(): Promise<void> {
    await writeAtomically(this.#paths.manifest, this.#manifest, { mode: 0o600 });
    await writeRecord(this.#paths.record, this.#record);
  }

  async guard(): Promise<void> {
    await this.#keeper.ensure();
  }

  desired(): Desired {
    const { spec } = this;
    return { spec, components: desiredComponents(spec), config: desiredDynamicConfig(spec, this.#record) };
  }

  async observe(options: ObserveOptions, signal: AbortSignal): Promise<Observation> {
    const observedAt = new Date();
    const { spec } = this;
    const record = this.#record;
    const exists = (await readRecord(this.#paths.record)) !== undefined;
    const services = exists ? await listServices(this.#paths.services) : [];
    const wanted = desiredComponents(spec).map(component => component.name);
    const material = exists ? await this.#load() : undefined;
    const render = (name: string) =>
      material !== undefined && wanted.includes(name) ? this.#render(name) : undefined;
    const memberNames = services.filter(name => componentKind(name) === 'member');
    const voters = record.stopped ? [] : services.filter(name => componentKind(name) === 'etcd');
    const [components, members, dcs, keeperRuns] = await Promise.all([
      observeComponents(services, this.#paths, render),
      observeMembers(memberNames, this.#paths, record, this.#clients, observedAt, signal),
      observeDcs(voters, this.#clients, signal),
      this.#keeper.observe(),
    ]);
    const primary = members.find(member => member.role === 'primary');
    this.#primary = primary;
    const [config, catalog] = await Promise.all([
      this.#readConfig(members, signal),
      options.catalog && primary !== undefined ? this.#readCatalog(primary, signal) : undefined,
    ]);
    return {
      observedAt: observedAt.toISOString(),
      exists,
      stopped: record.stopped,
      components,
      members,
      dcs,
      config,
      catalog,
      endpoints: endpointObservations({
        primary: this.endpoint('primary'),
        standby: this.endpoint('standby'),
        pooler: this.endpoint('pooler'),
        poolerStandby: this.endpoint('poolerStandby'),
      }),
      controlPlane: keeperRuns,
      version: { wanted: spec.version, actual: record.postgres.version },
    };
  }

  async apply(action: Action, context: ApplyContext): Promise<void> {
    switch (action.kind) {
      case 'prepare':
        return await this.provision(context);
      case 'start':
        await this.#setStopped(false);
        return await startComponent(await this.#machine(), action.component, context);
      case 'reload':
        return await reloadComponent(await this.#machine(), action.component);
      case 'restart':
        return await restartComponent(await this.#machine(), action.component, context);
      case 'remove':
        return await this.#remove(action.component, context);
      case 'stop':
        return await this.stop(context);
      case 'configure':
        return await this.#configure(action.patch, context.signal);
      case 'restart-member':
        return await this.patroni.restart(action.member, context.signal);
      case 'switchover':
        return await this.patroni.switchover({ from: action.from, to: action.to }, context.signal);
      case 'change-catalog':
        return await changeCatalog(action.change, await this.#changeContext(context.signal));
    }
  }

  async provision(context: ApplyContext): Promise<void> {
    const { spec } = this;
    await prepareDirectories(this.#paths, this.#record);
    await this.#secrets.ensure([...desiredUsers(spec), POOLER_ADMIN]);
    await this.#ensureCertificates(context.signal);
    this.#material = undefined;
    if (spec.pooler.standby) await this.#writeTarget('poolerStandby', standbyTarget(spec, this.#record));
    if (spec.pooler.primary && (await readIfExists(poolerTargetFile(this.#paths, 'pooler'))) === undefined) {
      // A guess until the first role change corrects it.
      await this.#writeTarget(
        'pooler',
        primaryTarget(spec, this.#record, memberAddress(this.#record.subnet, 0)),
      );
    }
    await layOut(await this.#machine());
    await writeRecord(this.#paths.record, this.#record);
  }

  async remember(observed: Observation): Promise<void> {
    const seen = Object.fromEntries(
      observed.members.map(({ name, role, state, since }) => [
        name,
        { role, state, since: since ?? observed.observedAt },
      ]),
    );
    await writeAtomically(seenFile(this.#paths), JSON.stringify(seen), { mode: 0o644 });
  }

  async heal(observed: Observation): Promise<string[]> {
    const done: string[] = [];
    if (!this.#record.stopped && !(await this.#supervisor.isRunning())) {
      await startSupervisor(await this.#machine());
      done.push('started the supervisor of the servers again');
    }
    const primaries = observed.members.filter(member => member.role === 'primary');
    const [primary] = primaries;
    if (primary !== undefined && primaries.length === 1 && (await this.#leadPoolersTo(primary))) {
      done.push(`led the poolers to ${primary.name}`);
    }
    return done;
  }

  async stop(context: ApplyContext): Promise<void> {
    await this.#setStopped(true);
    const members = await this.observe({ catalog: false }, context.signal).then(observed => observed.members);
    const primary = members.find(member => member.role === 'primary')?.name;
    await stopAll(await this.#machine(), primary, context);
    this.#clients.close();
    await this.#keeper.release();
  }

  async destroy(context: ApplyContext): Promise<string[]> {
    await this.stop(context);
    const { root, run } = this.#paths;
    await rm(run, { recursive: true, force: true });
    // The record goes first: what is left of an interrupted deletion is no cluster any more.
    await rm(this.#paths.record, { force: true });
    await rm(root, { recursive: true, force: true });
    await this.#keeper.release();
    return [];
  }

  endpoint(name: EndpointName): { host: string; port: number } | undefined {
    const wanted: Record<EndpointName, boolean> = {
      primary: true,
      standby: true,
      pooler: this.spec.pooler.primary,
      poolerStandby: this.spec.pooler.standby,
    };
    if (!wanted[name]) return undefined;
    const host =
      listenAddresses(this.#record, this.spec.exposed[name]).at(-1) ?? endpointAddress(this.#record.subnet);
    return { host, port: endpointPorts(this.#record.port)[name] };
  }

  async credentials(user: string): Promise<Credentials> {
    return await this.#secrets.read(user);
  }

  async users(): Promise<string[]> {
    return (await this.#secrets.users()).filter(user => user !== POOLER_ADMIN);
  }

  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    return readLogs(this.#paths.logs, options, signal);
  }

  async psql(options: {
    endpoint: EndpointName;
    user: string;
    database: string;
  }): Promise<{ argv: string[]; env: Record<string, string> }> {
    const endpoint = this.endpoint(options.endpoint);
    if (endpoint === undefined) {
      throw new PgherdError({
        code: 'no-such-endpoint',
        message: `the manifest asks for no ${options.endpoint} endpoint`,
        hint: 'enableConnectionPooler and enableReplicaConnectionPooler switch the poolers on',
      });
    }
    const { secret, password } = await this.credentials(options.user);
    const passfile = join(this.#paths.secrets, secret, 'pgpass');
    await writeAtomically(passfile, `*:*:*:${options.user}:${password}\n`, { mode: 0o600 });
    const target = {
      host: endpoint.host,
      port: String(endpoint.port),
      user: options.user,
      dbname: options.database,
      sslmode: 'verify-full',
      sslrootcert: this.caFile,
    };
    const conninfo = Object.entries(target).map(
      ([key, value]) => `${key}='${value.replace(/['\\]/g, '\\$&')}'`,
    );
    return {
      argv: [join(this.#record.postgres.binDir, 'psql'), conninfo.join(' ')],
      env: { PGPASSFILE: passfile },
    };
  }

  async lock(
    operation: string,
    options: { waitMs: number; signal: AbortSignal; onWait?: (holder: string) => void },
  ): Promise<AsyncDisposable> {
    await mkdir(this.#paths.root, { recursive: true });
    return await takeLock(this.#paths.lock, { operation, flock: this.#record.programs.flock, ...options });
  }

  [Symbol.dispose](): void {
    this.#clients.close();
  }

  async #ensureCertificates(signal: AbortSignal): Promise<void> {
    const { subnet, programs, serviceUser, listen } = this.#record;
    const front = ['127.0.0.1', endpointAddress(subnet), ...(listen === undefined ? [] : [listen])];
    const own = (ordinal: number) => [memberAddress(subnet, ordinal), ...front];
    const owner = process.getuid?.() === 0 ? serviceUser : undefined;
    await ensureCertificates(
      { openssl: programs.openssl, directory: this.#paths.tls, owner, signal },
      this.#paths.ca,
      `pgherd ${this.#record.uid}`,
      [
        ...Array.from({ length: VOTERS }, (_, n) => ({ name: `etcd-${n}`, addresses: own(n) })),
        ...Array.from({ length: this.spec.instances }, (_, n) => ({
          name: `${this.ref.name}-${n}`,
          addresses: own(n),
        })),
        ...['endpoint', 'proxy', 'control'].map(name => ({ name, addresses: front })),
      ],
      new Date(),
    );
  }

  /** Everything a start needs may have grown since the cluster was prepared: members, users, addresses. */
  async #machine(): Promise<Machine> {
    await this.#load();
    return {
      record: this.#record,
      paths: this.#paths,
      clients: this.#clients,
      supervisor: this.#supervisor,
      render: name => this.#render(name),
      wanted: desiredComponents(this.spec).map(component => component.name),
    };
  }

  async #load(): Promise<{ passwords: Record<string, string>; certificates: string }> {
    if (this.#material !== undefined) return this.#material;
    const users = [...new Set(['postgres', 'standby', this.spec.pooler.user, POOLER_ADMIN])];
    const known = await this.#secrets.users();
    const passwords = await Promise.all(
      users
        .filter(user => known.includes(user))
        .map(async user => [user, (await this.#secrets.read(user)).password] as const),
    );
    const certificates = createHash('sha256');
    for (const name of [
      'ca',
      'endpoint',
      ...Array.from({ length: this.spec.instances }, (_, n) => `${this.ref.name}-${n}`),
    ]) {
      certificates.update(await readFile(join(this.#paths.tls, `${name}.crt`)).catch(() => ''));
    }
    this.#material = { passwords: Object.fromEntries(passwords), certificates: certificates.digest('hex') };
    return this.#material;
  }

  #render(name: string): Service {
    const material = this.#material ?? { passwords: {}, certificates: '' };
    return renderService(name, { spec: this.spec, record: this.#record, paths: this.#paths, ...material });
  }

  async #setStopped(stopped: boolean): Promise<void> {
    if (this.#record.stopped === stopped) return;
    this.#record = { ...this.#record, stopped };
    await writeRecord(this.#paths.record, this.#record);
  }

  async #readConfig(members: MemberObservation[], signal: AbortSignal): Promise<Observation['config']> {
    for (const member of members.filter(candidate => candidate.problem === undefined)) {
      try {
        return await this.#clients.patroni(member.name).config(signal);
      } catch {
        signal.throwIfAborted();
      }
    }
    return undefined;
  }

  async #readCatalog(primary: MemberObservation, signal: AbortSignal): Promise<Observation['catalog']> {
    try {
      const { schema, user } = this.spec.pooler;
      return await readCatalog(database => this.#connect(primary.address, database, signal), {
        schema,
        user,
      });
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  async #connect(host: string, database: string, signal: AbortSignal): Promise<Session> {
    const { password } = await this.#secrets.read('postgres');
    const ca = await readFile(this.caFile, 'utf8');
    const { port } = this.#record;
    return await Session.open(
      { host, port, database, user: 'postgres', password, ca, timeoutMs: 10_000 },
      signal,
    );
  }

  async #changeContext(signal: AbortSignal): Promise<ChangeContext> {
    if (this.#primary === undefined) await this.observe({ catalog: false }, signal);
    const primary = this.#primary;
    if (primary === undefined) {
      throw new PgherdError({
        code: 'no-primary',
        message: 'there is no primary to change roles and databases on',
      });
    }
    return {
      connect: database => this.#connect(primary.address, database, signal),
      password: async user => (await this.#secrets.read(user)).password,
      lookup: { schema: this.spec.pooler.schema, user: this.spec.pooler.user },
    };
  }

  /** Patches the dynamic configuration and waits until every running member has taken it over. */
  async #configure(
    patch: Parameters<ReturnType<ClientPool['patroni']>['patchConfig']>[0],
    signal: AbortSignal,
  ): Promise<void> {
    const { members } = await this.observe({ catalog: false }, signal);
    const answering = members.filter(member => member.problem === undefined);
    const [first] = answering;
    if (first === undefined) throw new PgherdError({ code: 'no-patroni', message: 'no Patroni answers' });
    await this.#clients.patroni(first.name).patchConfig(patch, signal);
    const loopWait = Number((await this.#clients.patroni(first.name).config(signal)).loop_wait ?? 10);
    // Patroni's loop wakes at once on a new configuration; the pending restarts show a loop later.
    await poll(
      async () => {
        const states = await Promise.all(
          answering.map(member =>
            this.#clients
              .patroni(member.name)
              .status(signal)
              .then(
                () => true,
                () => false,
              ),
          ),
        );
        return states.every(Boolean) ? true : undefined;
      },
      {
        what: 'the members to take over the configuration',
        timeoutMs: (loopWait + 10) * 1000,
        everyMs: 200,
        signal,
      },
    );
    await new Promise(resolve => setTimeout(resolve, Math.min(loopWait, 2) * 1000 + 500));
  }

  async #remove(component: string, context: ApplyContext): Promise<void> {
    await removeComponent(await this.#machine(), component, context);
    if (componentKind(component) === 'member') await this.#dropSlotOf(component, context.signal);
  }

  /**
   * Patroni keeps the slot of a member that left for member_slots_ttl, in case it comes back. This one does not:
   * with a ttl of 0 for a moment the slot goes with the next loop.
   */
  async #dropSlotOf(member: string, signal: AbortSignal): Promise<void> {
    const { members } = await this.observe({ catalog: false }, signal);
    const primary = members.find(candidate => candidate.role === 'primary');
    if (primary === undefined) return;
    const slot = member.replaceAll('-', '_');
    const client = this.#clients.patroni(primary.name);
    await client.patchConfig({ member_slots_ttl: 0 }, signal);
    try {
      await using session = await this.#connect(primary.address, 'postgres', signal);
      await poll(
        async () => {
          const rows = await session.query('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1', [slot]);
          return rows.length === 0 ? true : undefined;
        },
        { what: `the replication slot of ${member} to go`, timeoutMs: 60_000, everyMs: 200, signal },
      );
    } finally {
      await client.patchConfig({ member_slots_ttl: '30min' }, signal);
    }
  }

  async #leadPoolersTo(primary: MemberObservation): Promise<boolean> {
    if (!this.spec.pooler.primary) return false;
    const wanted = primaryTarget(this.spec, this.#record, primary.address);
    if ((await readIfExists(poolerTargetFile(this.#paths, 'pooler'))) === wanted) return false;
    await this.#writeTarget('pooler', wanted);
    const machine = await this.#machine();
    const poolers = (await listServices(this.#paths.services)).filter(
      name => componentKind(name) === 'pooler',
    );
    for (const name of poolers) await reloadComponent(machine, name);
    return true;
  }

  async #writeTarget(kind: 'pooler' | 'poolerStandby', text: string): Promise<void> {
    const path = poolerTargetFile(this.#paths, kind);
    const owner = process.getuid?.() === 0 ? this.#record.serviceUser : undefined;
    await ensureDirectory(join(path, '..'), { mode: 0o700, owner });
    await writeAtomically(path, text, { mode: 0o600, owner });
  }

  async aside(): Promise<string[]> {
    return await listAside(this.#paths);
  }
}
