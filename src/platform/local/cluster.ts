/** One cluster on this machine, behind the platform contract. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import type { Action, Desired } from '../../core/plan/action.ts';
import type { MemberObservation, Observation } from '../../core/topology/observation.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import { changeCatalog } from '../../engine/postgres/catalog.ts';
import { messageOf, PgherdError } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { takeLock } from '../../lib/lock.ts';
import type {
  ApplyContext,
  Credentials,
  InsideTarget,
  LogLine,
  LogOptions,
  ObserveOptions,
  PatroniOperations,
  PlatformCluster,
} from '../contract.ts';
import {
  type Machine,
  reloadComponent,
  restartComponent,
  startComponent,
  startSupervisor,
  stopAll,
} from './apply.ts';
import { ClientPool } from './clients.ts';
import { DetachedProcess } from './detachedProcess.ts';
import { patchDynamicConfig } from './dynamicConfig.ts';
import { LocalFaults } from './faults/index.ts';
import { heal } from './healing.ts';
import { FileJournal } from './journal.ts';
import type { Keeper } from './keeperService.ts';
import { clusterPaths, endpointPorts, type Paths } from './layout.ts';
import { readLeader } from './leader.ts';
import { readLogs } from './logs.ts';
import { ensureMaterial, type Material, readMaterial } from './material.ts';
import { desiredDynamicConfig } from './memberService.ts';
import { seenFile } from './observe.ts';
import { observeCluster } from './observeCluster.ts';
import { ensureTargets } from './poolerTargets.ts';
import { PrimarySql } from './primarySql.ts';
import { layOut, prepareDirectories } from './provision.ts';
import { psqlCommand } from './psqlCommand.ts';
import { type ClusterRecord, readRecord, writeRecord } from './record.ts';
import { removeFromCluster } from './removal.ts';
import { SecretStore } from './secrets.ts';
import { dcsNamespace, listenAddresses, memberSocketDir, type Service } from './serviceParts.ts';
import { renderService, wantedComponents } from './services.ts';

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
  readonly spec: ClusterSpec;
  readonly notes: string[];
  readonly caFile: string;
  readonly journal: FileJournal;
  readonly patroni: PatroniOperations;
  readonly faults: LocalFaults;
  readonly #manifest: string;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #sql: PrimarySql;
  readonly #clients: ClientPool;
  readonly #supervisor: DetachedProcess;
  readonly #keeper: Keeper;
  #record: ClusterRecord;
  /** As of the last look. */
  #members: MemberObservation[] = [];
  #restartParameters: string[] = [];
  #material: Material | undefined;
  /** Rendering is pure: the same until the material changes. */
  readonly #rendered = new Map<string, Service>();

  constructor(input: LocalClusterInput) {
    const { record, spec } = input;
    this.ref = { name: record.name, namespace: record.namespace };
    this.notes = input.notes;
    this.spec = spec;
    this.#manifest = input.manifest;
    this.#record = record;
    this.#keeper = input.keeper;
    const paths = clusterPaths(input.stateDir, record.namespace, record.name, record.subnet);
    this.#paths = paths;
    this.caFile = paths.ca;
    this.journal = new FileJournal(paths.journal);
    this.#secrets = new SecretStore(paths.secrets, record.name);
    this.#sql = new PrimarySql(spec, this.#secrets, paths.ca);
    this.#supervisor = new DetachedProcess(
      join(paths.root, 'supervisor.json'),
      join(paths.root, 'supervisor.log'),
    );
    const clients = new ClientPool(paths, record);
    this.#clients = clients;
    this.faults = new LocalFaults({
      stateDir: input.stateDir,
      paths,
      record,
      clients,
      reviveControlPlane: () => this.#revive(),
    });
    this.patroni = {
      switchover: ({ from, to }, signal) => clients.patroni(from).switchover(from, to, signal),
      failover: ({ to }, signal) => clients.patroni(to).failover(to, signal),
      restart: (member, signal) => clients.patroni(member).restart(signal),
      reinitialise: (member, signal) => clients.patroni(member).reinitialise(signal),
    };
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

  async hasten({ config, members }: Observation, signal: AbortSignal): Promise<void> {
    if (config === undefined) return;
    const answering = members.filter(member => member.problem === undefined);
    await Promise.all(
      answering.map(member =>
        this.#clients
          .patroni(member.name)
          .wake(config, signal)
          .catch(() => {}),
      ),
    );
  }

  desired(): Desired {
    const { spec } = this;
    return {
      spec,
      components: wantedComponents(spec, this.#record),
      config: desiredDynamicConfig(spec, this.#record),
    };
  }

  async observe(options: ObserveOptions, signal: AbortSignal): Promise<Observation> {
    const observed = await observeCluster(
      {
        spec: this.spec,
        record: this.#record,
        paths: this.#paths,
        clients: this.#clients,
        sql: this.#sql,
        machine: () => this.#machine(),
        controlPlane: () => this.#keeper.observe(),
        endpoint: name => this.endpoint(name),
      },
      options,
      signal,
    );
    this.#members = observed.members;
    this.#restartParameters = observed.catalog?.restartParameters ?? this.#restartParameters;
    return { ...observed, faults: await this.faults.observe() };
  }

  async apply(action: Action, context: ApplyContext): Promise<void> {
    const { signal } = context;
    signal.throwIfAborted();
    switch (action.kind) {
      case 'prepare':
        return await this.provision(context);
      case 'start':
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
        return await patchDynamicConfig(
          action.patch,
          this.#members,
          this.#restartParameters,
          this.#clients,
          signal,
        );
      case 'restart-member':
        return await this.patroni.restart(action.member, signal);
      case 'switchover':
        return await this.patroni.switchover({ from: action.from, to: action.to }, signal);
      case 'change-catalog':
        return await changeCatalog(action.change, this.#sql.changes(await this.#primary(signal), signal));
    }
  }

  async provision(context: ApplyContext): Promise<void> {
    // What the machine keeps of an isolated cluster must not be without a record that tells whose it is.
    if (this.#record.isolated) await this.record();
    await prepareDirectories(this.#paths, this.#record);
    await ensureMaterial(this.spec, this.#record, this.#paths, this.#secrets, context.signal);
    this.#material = undefined;
    this.#rendered.clear();
    const machine = await this.#machine();
    await ensureTargets(machine, this.spec);
    await layOut(machine, context.signal);
    this.#record = { ...this.#record, stopped: this.spec.instances === 0 };
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
    return await heal(await this.#machine(), this.spec, observed);
  }

  async stop(context: ApplyContext): Promise<void> {
    // What stands still does not stop, and what is mended later would be mended in vain.
    await this.faults
      .undo('all', context)
      .catch((error: unknown) => context.progress(`a drill is not undone: ${messageOf(error)}`));
    context.signal.throwIfAborted();
    const { members } = await this.observe({ catalog: false }, context.signal);
    this.#record = { ...this.#record, stopped: true };
    await writeRecord(this.#paths.record, this.#record);
    const primary = members.find(member => member.role === 'primary')?.name;
    await stopAll(await this.#machine(), primary, context);
    this.#clients.close();
    await this.#keeper.release();
  }

  async destroy(context: ApplyContext): Promise<string[]> {
    await this.stop(context);
    const { root, run, record } = this.#paths;
    await rm(run, { recursive: true, force: true });
    // The record goes first: what is left of an interrupted deletion is no cluster any more.
    await rm(record, { force: true });
    await rm(root, { recursive: true, force: true });
    await this.#keeper.release();
    return [];
  }

  get drillsAllowed(): boolean {
    return this.#record.drillsAllowed;
  }

  async leader(signal: AbortSignal): Promise<string | undefined> {
    return await readLeader(`${dcsNamespace(this.spec)}${this.spec.name}/leader`, this.#clients, signal);
  }

  async inside(member: string): Promise<InsideTarget> {
    return {
      socketDirectory: memberSocketDir(this.#paths, member),
      port: this.#record.port,
      user: 'postgres',
    };
  }

  endpoint(name: EndpointName): { host: string; port: number } | undefined {
    const { primary, standby } = this.spec.pooler;
    const wanted: Record<EndpointName, boolean> = {
      primary: true,
      standby: true,
      pooler: primary,
      poolerStandby: standby,
    };
    const host = listenAddresses(this.#record, this.spec.exposed[name]).at(-1);
    return wanted[name] && host !== undefined
      ? { host, port: endpointPorts(this.#record.port)[name] }
      : undefined;
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
    const { endpoint: name, user, database } = options;
    const endpoint = this.endpoint(name);
    return await psqlCommand(this.#record, this.#secrets, this.caFile, { name, endpoint, user, database });
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

  /** What `up` does for them as well. A cluster that was stopped on purpose needs neither. */
  async #revive(): Promise<void> {
    if ((await readRecord(this.#paths.record))?.stopped !== false) return;
    await startSupervisor(await this.#machine());
    await this.#keeper.ensure();
  }

  async #machine(): Promise<Machine> {
    this.#material ??= await readMaterial(this.spec, this.#paths, this.#secrets);
    const input = { spec: this.spec, record: this.#record, paths: this.#paths, ...this.#material };
    const rendered = this.#rendered;
    return {
      record: this.#record,
      paths: this.#paths,
      clients: this.#clients,
      supervisor: this.#supervisor,
      render: name => {
        const service = rendered.get(name) ?? renderService(name, input);
        rendered.set(name, service);
        return service;
      },
      wanted: wantedComponents(this.spec, this.#record).map(component => component.name),
    };
  }

  /** The primary of the last look; looks once where there has been none. */
  async #primary(signal: AbortSignal): Promise<MemberObservation> {
    if (this.#members.length === 0) await this.observe({ catalog: false }, signal);
    const primary = this.#members.find(member => member.role === 'primary');
    if (primary !== undefined) return primary;
    throw new PgherdError({
      code: 'no-primary',
      message: 'there is no primary to work on',
      hint: `see what the members say: pgherd logs ${this.ref.name}`,
    });
  }

  async #remove(component: string, context: ApplyContext): Promise<void> {
    const others = {
      scope: `${dcsNamespace(this.spec)}${this.spec.name}`,
      primary: () => this.#primary(context.signal),
      sql: this.#sql,
      clients: this.#clients,
    };
    await removeFromCluster(await this.#machine(), component, others, context);
  }
}
