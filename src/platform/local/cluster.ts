/** One cluster on this machine, behind the platform contract. */
import { mkdir } from 'node:fs/promises';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { Desired } from '../../core/plan/action.ts';
import type { MemberObservation, Observation } from '../../core/topology/observation.ts';
import { messageOf } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { takeLock } from '../../lib/lock.ts';
import type {
  ApplyContext,
  LogLine,
  LogOptions,
  ObserveOptions,
  PatroniOperations,
  PlatformAction,
  PlatformCluster,
  Sentinel,
} from '../contract.ts';
import { LocalAccess } from './access.ts';
import { carryOut } from './actions.ts';
import { startSupervisor, stopAll } from './apply.ts';
import type { LocalDumps } from './backup/dumps/index.ts';
import { endChores } from './backup/endChores.ts';
import type { LocalBackups } from './backup/index.ts';
import { backupParts } from './backup/parts.ts';
import type { LocalRestores } from './backup/restore/index.ts';
import { ClientPool, patroniOperations } from './clients.ts';
import { LocalFaults } from './faults/index.ts';
import { heal } from './healing.ts';
import { FileJournal } from './journal.ts';
import type { Keeper } from './keeperService.ts';
import { clusterPaths, type Paths } from './layout.ts';
import { readLeader } from './leader.ts';
import { readLogs } from './logs.ts';
import { desiredDynamicConfig } from './memberService.ts';
import { LocalMoves } from './moves.ts';
import { writeSeen } from './observe.ts';
import { observeCluster, requirePrimary } from './observeCluster.ts';
import { PrimarySql } from './primarySql.ts';
import { provision } from './provision.ts';
import { type ClusterRecord, readRecord, writeRecord } from './record.ts';
import { deleteCluster } from './removal.ts';
import { Renderings } from './renderings.ts';
import { SecretStore } from './secrets.ts';
import { LocalSentinel } from './sentinel/senses.ts';
import { dcsNamespace } from './serviceParts.ts';
import { wantedComponents } from './services.ts';

/** Longest that looking for gaps in the archive may keep the control plane from its next look. */
const HEAL_MS = 60_000;

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
  readonly journal: FileJournal;
  readonly access: LocalAccess;
  readonly moves: LocalMoves;
  readonly patroni: PatroniOperations;
  readonly faults: LocalFaults;
  readonly backups: LocalBackups;
  readonly restores: LocalRestores;
  readonly dumps: LocalDumps;
  readonly #manifest: string;
  readonly #stateDir: string;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #sql: PrimarySql;
  readonly #clients: ClientPool;
  readonly #keeper: Keeper;
  readonly #renderings: Renderings;
  #record: ClusterRecord;
  /** As of the last look. */
  #members: MemberObservation[] = [];
  #restartParameters: string[] = [];

  constructor(input: LocalClusterInput) {
    const { record, spec } = input;
    this.ref = { name: record.name, namespace: record.namespace };
    this.notes = input.notes;
    this.spec = spec;
    this.#manifest = input.manifest;
    this.#stateDir = input.stateDir;
    this.#record = record;
    this.#keeper = input.keeper;
    const paths = clusterPaths(input.stateDir, record.namespace, record.name, record.subnet);
    this.#paths = paths;
    this.journal = new FileJournal(paths.journal);
    this.#secrets = new SecretStore(paths.secrets, record.name);
    this.access = new LocalAccess(spec, record, paths, this.#secrets);
    this.#sql = new PrimarySql(spec, this.#secrets, paths.ca);
    const clients = new ClientPool(paths, record);
    this.#clients = clients;
    this.moves = new LocalMoves({
      ...{ spec, paths, clients, secrets: this.#secrets, scope: this.#scope },
      record: () => this.#record,
    });
    this.#renderings = new Renderings(spec, paths, this.#secrets, clients);
    this.faults = new LocalFaults({
      stateDir: input.stateDir,
      paths,
      record,
      clients,
      reviveControlPlane: () => this.#revive(),
    });
    this.patroni = patroniOperations(clients);
    const parts = backupParts({
      spec,
      paths,
      secrets: this.#secrets,
      scope: this.#scope,
      record: () => this.#record,
      machine: () => this.#renderings.machine(this.#record),
      members: signal => this.#freshMembers(signal),
      primary: signal => this.#primary(signal),
      psql: database => this.access.psql({ endpoint: 'primary', user: 'postgres', database }),
    });
    this.backups = parts.backups;
    this.restores = parts.restores;
    this.dumps = parts.dumps;
  }

  async appliedManifest(): Promise<string | undefined> {
    return await readIfExists(this.#paths.manifest);
  }

  async record(): Promise<void> {
    await writeAtomically(this.#paths.manifest, this.#manifest, { mode: 0o600 });
    await writeRecord(this.#paths.record, this.#record);
  }

  async guard(): Promise<Observation['controlPlane']> {
    await this.#keeper.ensure();
    return await this.#keeper.observe();
  }

  async hasten({ members }: Observation, signal: AbortSignal): Promise<void> {
    // A standby that streams is where it should be, and one being created is woken by etcd.
    const concerned = members.filter(
      ({ role, state }) => role === 'primary' || state === 'starting' || state === 'running',
    );
    await Promise.all(
      concerned.map(({ name }) =>
        this.#clients
          .patroni(name)
          .wake(signal)
          .catch(() => {}),
      ),
    );
  }

  desired(): Desired {
    const { spec } = this;
    return {
      spec,
      components: wantedComponents(spec, this.#record),
      config: desiredDynamicConfig(spec, this.#record, this.#paths),
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
        machine: () => this.#renderings.machine(this.#record),
        controlPlane: () => this.#keeper.observe(),
        endpoint: name => this.access.endpoint(name),
      },
      options,
      signal,
    );
    this.#members = observed.members;
    this.#restartParameters = observed.catalog?.restartParameters ?? this.#restartParameters;
    return { ...observed, faults: await this.faults.observe() };
  }

  async apply(action: PlatformAction, context: ApplyContext): Promise<void> {
    const means = {
      machine: () => this.#renderings.machine(this.#record),
      clients: this.#clients,
      sql: this.#sql,
      scope: this.#scope,
      members: this.#members,
      restartParameters: this.#restartParameters,
      primary: () => this.#primary(context.signal),
      provision: () => this.provision(context),
      stop: () => this.stop(context),
    };
    await carryOut(action, means, context);
  }

  async provision(context: ApplyContext): Promise<void> {
    // What the machine keeps of an isolated cluster must not be without a record that tells whose it is.
    if (this.#record.isolated) await this.record();
    await this.backups.prepare();
    await provision(this.spec, this.#record, this.#paths, this.#renderings, context.signal);
    this.#record = { ...this.#record, stopped: this.spec.instances === 0 };
    await writeRecord(this.#paths.record, this.#record);
  }

  async remember(observed: Observation): Promise<void> {
    await writeSeen(this.#paths, observed);
  }

  async heal(observed: Observation): Promise<string[]> {
    return [
      ...(await heal(await this.#renderings.machine(this.#record), this.spec, observed)),
      ...(await this.backups.closeGaps(observed.members, AbortSignal.timeout(HEAL_MS))),
    ];
  }

  async stop(context: ApplyContext): Promise<void> {
    // What stands still does not stop, and what is mended later would be mended in vain.
    await this.faults
      .undo('all', context)
      .catch((error: unknown) => context.progress(`a drill is not undone: ${messageOf(error)}`));
    context.signal.throwIfAborted();
    await this.restores.stopServers(context.signal);
    const { members } = await this.observe({ catalog: false }, context.signal);
    this.#record = { ...this.#record, stopped: true };
    await writeRecord(this.#paths.record, this.#record);
    await endChores(this.#stateDir, this.ref, context.signal);
    const primary = members.find(member => member.role === 'primary')?.name;
    await stopAll(await this.#renderings.machine(this.#record), primary, context);
    await this.backups.endArchiving(context.signal);
    this.#clients.close();
    await this.#keeper.release();
  }

  async destroy(context: ApplyContext): Promise<string[]> {
    await this.stop(context);
    await deleteCluster(this.#paths);
    await this.#keeper.release();
    return [];
  }

  get drillsAllowed(): boolean {
    return this.#record.drillsAllowed;
  }

  sentinel(): Sentinel {
    this.moves.prepare();
    return new LocalSentinel({
      scope: this.#scope,
      spec: this.spec,
      paths: this.#paths,
      record: this.#record,
      clients: this.#clients,
      secrets: this.#secrets,
    });
  }

  async leader(signal: AbortSignal): Promise<string | undefined> {
    return await readLeader(`${this.#scope}/leader`, this.#clients, signal);
  }

  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    return readLogs(this.#paths.logs, options, signal);
  }

  async lock(
    operation: string,
    options: { waitMs: number; signal: AbortSignal; onWait?: (holder: string) => void },
  ): Promise<AsyncDisposable> {
    await mkdir(this.#paths.root, { recursive: true });
    return await takeLock(this.#paths.lock, { operation, flock: this.#record.programs.flock, ...options });
  }

  [Symbol.dispose](): void {
    this.moves[Symbol.dispose]();
    this.#clients.close();
  }

  /** What `up` does for them as well. A cluster that was stopped on purpose needs neither. */
  async #revive(): Promise<void> {
    if ((await readRecord(this.#paths.record))?.stopped !== false) return;
    await startSupervisor(await this.#renderings.machine(this.#record));
    await this.#keeper.ensure();
  }

  async #freshMembers(signal: AbortSignal): Promise<MemberObservation[]> {
    return (await this.observe({ catalog: false, withoutConfig: true }, signal)).members;
  }

  /** The primary of the last look; looks once where there has been none. */
  async #primary(signal: AbortSignal): Promise<MemberObservation> {
    if (this.#members.length === 0) await this.observe({ catalog: false }, signal);
    return requirePrimary(this.#members, this.ref.name);
  }

  /** Prefix of the cluster's keys in the DCS. */
  get #scope(): string {
    return `${dcsNamespace(this.spec)}${this.spec.name}`;
  }
}
