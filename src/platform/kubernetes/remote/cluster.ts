import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import type { Desired } from '../../../core/plan/action.ts';
import type { Observation } from '../../../core/topology/observation.ts';
import { PgherdError, RefusedError } from '../../../lib/errors.ts';
import { poll } from '../../../lib/time.ts';
import type {
  ClientHold,
  ClusterRef,
  Credentials,
  Dumps,
  EndpointAddress,
  HoldLimits,
  InsideTarget,
  Journal,
  LogLine,
  LogOptions,
  ObserveOptions,
  PatroniOperations,
  PlatformCluster,
  Restores,
} from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { type ExecTarget, exec } from '../api/exec.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { KubeBackups } from '../backup/index.ts';
import { KubeRestores } from '../backup/restores.ts';
import { decoded } from '../children/secrets.ts';
import { operatorConfigSchema } from '../config.ts';
import { CLUSTER_LABEL, memberSelector } from '../objects/labels.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { desiredDynamicConfig } from '../objects/patroni.ts';
import { handOn } from '../patroni/handOn.ts';
import { readDcs } from '../patroni/leaderKey.ts';
import { HoldShells, holdPoolers } from '../poolers/hold.ts';
import { addressOf, ENDPOINTS } from './addresses.ts';
import { authorityFile } from './authority.ts';
import { remoteDumps } from './dumps.ts';
import { type RemoteFaults, remoteFaults } from './faults/index.ts';
import { Forwards } from './forwards.ts';
import { Inside } from './inside.ts';
import { EventJournal } from './journal.ts';
import { readLogs } from './logs.ts';
import { Looker } from './looker.ts';
import { componentsOf, observationOf } from './observe.ts';
import { OperatorSight } from './operatorSight.ts';
import { patroniOperations } from './patroniOperations.ts';
import { Passfiles, psqlArguments } from './psql.ts';
import { Refused } from './refused.ts';

const REACH_MS = 20_000;
const SECRETS_MS = 15_000;
/** On the manifest: drills run without the name being typed. */
const ALLOW_DRILLS = 'pgherd.dev/allow-drills';
const CHECKPOINT_MS = 30_000;

const DEFAULTS = operatorConfigSchema.parse({});

export interface RemoteClusterInput {
  client: KubeClient;
  /** The manifest, as it stands in the API server. */
  object: LiveObject;
  /** The same as text, without what the server adds. */
  manifest: string;
  services: LiveObject[];
  spec: ClusterSpec;
  /** Where copies of authorities' certificates are kept. */
  stateDir: string;
  /** Pods of the cluster and its poolers, where somebody watches them. */
  pods?: (() => Promise<LiveObject[]>) | undefined;
}

/**
 * One cluster on Kubernetes, for a person's commands: looks and asks through the API server alone. What belongs to the
 * operator (making, changing, stopping, deleting) is asked of it by the manifest, and refused here.
 */
export class RemoteCluster extends Refused implements PlatformCluster {
  readonly ref: ClusterRef;
  readonly spec: ClusterSpec;
  readonly notes: string[] = [];
  readonly drillsAllowed: boolean;
  readonly journal: Journal;
  readonly patroni: PatroniOperations;
  readonly faults: RemoteFaults;
  readonly #client: KubeClient;
  readonly backups: KubeBackups;
  readonly restores: Restores;
  readonly dumps: Dumps;
  readonly #manifest: string;
  readonly #services: LiveObject[];
  readonly #stateDir: string;
  readonly #passfiles = new Passfiles();
  readonly #inside: Inside;
  readonly #shells: HoldShells;
  #forwards: Forwards | undefined;
  readonly #looker: Looker;
  readonly #operator: OperatorSight;

  constructor({ client, object, manifest, services, spec, stateDir, pods }: RemoteClusterInput) {
    super();
    this.#client = client;
    this.#manifest = manifest;
    this.#services = services;
    this.#stateDir = stateDir;
    this.spec = spec;
    this.ref = { name: spec.name, namespace: object.metadata.namespace ?? 'default' };
    const { ref } = this;
    this.#looker = new Looker(ref.name, (kind, signal) => this.#list(kind, signal));
    this.#operator = new OperatorSight(client, object);
    const look = (signal: AbortSignal) => this.#looker.look(signal);
    this.patroni = patroniOperations({
      look,
      container: pod => this.#container(pod),
      dcs: signal => this.#dcs(signal),
    });
    this.backups = new KubeBackups({ client, ref, spec, owner: object, look });
    this.restores = new KubeRestores({ client, ref, spec, owner: object, look });
    this.dumps = remoteDumps(spec.name);
    this.drillsAllowed = object.metadata.annotations?.[ALLOW_DRILLS] === 'true';
    this.journal = new EventJournal(client, object, this.ref);
    this.#inside = new Inside(client);
    this.#shells = new HoldShells({ ...this.#place(), watched: pods });
    this.faults = remoteFaults(client, object, look);
  }

  [Symbol.dispose](): void {
    this.#forwards?.[Symbol.dispose]();
    this.#inside[Symbol.dispose]();
    this.#passfiles[Symbol.dispose]();
    void this.#shells[Symbol.asyncDispose]();
  }

  async observe(_options: ObserveOptions, signal: AbortSignal): Promise<Observation> {
    const [view, services, deployments, faults, operatorWatches] = await Promise.all([
      this.#looker.look(signal),
      this.#list('Service', signal),
      this.#list('Deployment', signal),
      this.faults.observe(),
      this.#operator.watches(signal),
    ]);
    const { namespace } = this.ref;
    const seen = {
      spec: this.spec,
      namespace,
      view,
      services,
      deployments,
      operatorWatches,
      now: new Date(),
    };
    return { ...observationOf(seen), faults };
  }

  async leader(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#looker.look(signal)).leader;
  }

  async users(): Promise<string[]> {
    const secrets = await this.#list('Secret', AbortSignal.timeout(SECRETS_MS));
    const names = secrets.map(secret => decoded(secret, 'username'));
    return names.filter(name => name !== undefined).sort();
  }

  /** Opens what `holdClients` will need. Never rejects. */
  protected async warm(): Promise<void> {
    await this.#shells.warm();
  }

  async holdClients(limits: HoldLimits): Promise<ClientHold> {
    return await holdPoolers(this.#shells, limits);
  }

  /** What Patroni would call lies in an image: there is nothing of ours in it. */
  async shutStopGate(): Promise<undefined> {
    return undefined;
  }

  async checkpoint(member: string, signal: AbortSignal): Promise<void> {
    const words = ['psql', '-X', '-q', '-U', 'postgres', '-d', 'postgres', '-c', 'CHECKPOINT'];
    const [{ code, stderr }] = await Promise.all([
      exec(this.#client, this.#container(member), words, { timeoutMs: CHECKPOINT_MS, signal }),
      // The first look takes a while, and clients are not held yet; so do the shells.
      this.#looker.look(signal),
      this.warm(),
    ]);
    if (code === 0) return;
    throw new PgherdError({
      code: 'checkpoint-failed',
      message: `${member} did not do a checkpoint`,
      detail: stderr.trim().slice(-500),
    });
  }

  async handOn(member: string, signal: AbortSignal): Promise<string[]> {
    return await handOn(this.#container(member), this.#dcs(signal));
  }

  async awaitOtherPrimary(
    than: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<string> {
    return poll(
      async inner => {
        const { key } = await readDcs(this.#dcs(inner));
        const holder = key?.holder;
        if (holder === undefined || holder === than) return undefined;
        return (await this.#shells.takesWrites(holder)) ? holder : undefined;
      },
      { what: `another primary than ${than}`, timeoutMs, everyMs: 30, signal },
    );
  }

  async credentials(user: string): Promise<Credentials> {
    const secrets = await this.#list('Secret', AbortSignal.timeout(SECRETS_MS));
    const live = secrets.find(secret => decoded(secret, 'username') === user);
    const password = decoded(live, 'password');
    if (live === undefined || password === undefined) {
      const { name, namespace } = this.ref;
      throw new RefusedError({
        code: 'unknown-user',
        message: `there are no credentials for user "${user}" in cluster ${name}`,
        hint: `no Secret of the cluster in namespace ${namespace} holds that username`,
      });
    }
    return { secret: live.metadata.name, username: user, password };
  }

  /** Serialised by Patroni and by versions of objects: nothing to hold. */
  async lock(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} };
  }

  /** What the operator goes by. */
  async appliedManifest(): Promise<string> {
    return this.#manifest;
  }

  inside(member: string): Promise<InsideTarget> {
    return this.#inside.target(this.#container(member));
  }

  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    return readLogs(this.#client, this.ref, options, signal);
  }

  desired(): Desired {
    const { spec } = this;
    return { spec, components: componentsOf(spec), config: desiredDynamicConfig(spec, DEFAULTS) };
  }

  endpoint(name: EndpointName): EndpointAddress | undefined {
    const port = this.#forwards?.port(name);
    if (port === undefined) return addressOf(this.spec, this.ref.namespace, name, this.#services);
    // The certificates of every cluster name it; those of the manifest need not.
    const named = this.spec.kubernetes.tls === undefined;
    return { host: 'localhost', port, ...(named ? {} : { unnamed: true }) };
  }

  async reach(signal: AbortSignal): Promise<string> {
    const there = ENDPOINTS.filter(name => this.endpoint(name) !== undefined);
    this.#forwards ??= await Forwards.open(this.#client, this.ref, there, this.#services, signal);
    return 'measured from outside, through the API server and a relay in one pod, which is slower than from a pod of its own';
  }

  caFile(): Promise<string> {
    return authorityFile(this.#client, this.ref, this.spec, join(this.#stateDir, 'kubernetes'));
  }

  /** This machine's psql, through a port of its own. */
  async psql(options: { endpoint: EndpointName; user: string; database: string }): Promise<{
    argv: string[];
    env: Record<string, string>;
  }> {
    const { endpoint, user, database } = options;
    const [caFile, { password }] = await Promise.all([this.caFile(), this.credentials(user)]);
    await this.reach(AbortSignal.timeout(REACH_MS));
    const address = this.endpoint(endpoint);
    if (address === undefined) throw noSuchEndpoint(endpoint);
    const argv = psqlArguments(address, { user, database, caFile });
    return { argv, env: { PGPASSFILE: this.#passfiles.write(user, password) } };
  }

  #container(pod: string): ExecTarget {
    return { namespace: this.ref.namespace, pod, container: MEMBER_CONTAINER };
  }

  #place() {
    const { name: cluster, namespace } = this.ref;
    return { client: this.#client, namespace, cluster };
  }

  #dcs(signal: AbortSignal) {
    return { ...this.#place(), labels: memberSelector(this.ref.name), signal };
  }

  async #list(kind: Kind, signal: AbortSignal): Promise<LiveObject[]> {
    const { name, namespace } = this.ref;
    const labelSelector = `${CLUSTER_LABEL}=${name}`;
    return (await this.#client.list(kind, { namespace, labelSelector }, signal)).items;
  }
}

function noSuchEndpoint(endpoint: EndpointName): RefusedError {
  return new RefusedError({
    code: 'no-such-endpoint',
    message: `the manifest asks for no ${endpoint} endpoint`,
    hint: 'enableConnectionPooler and enableReplicaConnectionPooler switch the poolers on',
  });
}
