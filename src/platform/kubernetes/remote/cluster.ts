import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { Desired } from '../../../core/plan/action.ts';
import type { Observation } from '../../../core/topology/observation.ts';
import type {
  ClusterRef,
  Dumps,
  Journal,
  LogLine,
  LogOptions,
  ObserveOptions,
  PatroniOperations,
  PlatformCluster,
  Restores,
} from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { ExecTarget } from '../api/exec.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { KubeBackups } from '../backup/index.ts';
import { KubeRestores } from '../backup/restores.ts';
import { operatorConfigSchema } from '../config.ts';
import { CLUSTER_LABEL, memberSelector } from '../objects/labels.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { desiredDynamicConfig } from '../objects/patroni.ts';
import { HoldShells } from '../poolers/hold.ts';
import { RemoteAccess } from './access.ts';
import { remoteDumps } from './dumps.ts';
import { type RemoteFaults, remoteFaults } from './faults/index.ts';
import { EventJournal } from './journal.ts';
import { readLogs } from './logs.ts';
import { Looker } from './looker.ts';
import { RemoteMoves } from './moves.ts';
import { componentsOf, observationOf } from './observe.ts';
import { OperatorSight } from './operatorSight.ts';
import { patroniOperations } from './patroniOperations.ts';
import { Refused } from './refused.ts';

/** On the manifest: drills run without the name being typed. */
const ALLOW_DRILLS = 'pgherd.dev/allow-drills';

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
  readonly access: RemoteAccess;
  readonly moves: RemoteMoves;
  readonly patroni: PatroniOperations;
  readonly faults: RemoteFaults;
  readonly #client: KubeClient;
  readonly backups: KubeBackups;
  readonly restores: Restores;
  readonly dumps: Dumps;
  readonly #manifest: string;
  readonly #looker: Looker;
  readonly #operator: OperatorSight;

  constructor({ client, object, manifest, services, spec, stateDir, pods }: RemoteClusterInput) {
    super();
    this.#client = client;
    this.#manifest = manifest;
    this.spec = spec;
    this.ref = { name: spec.name, namespace: object.metadata.namespace ?? 'default' };
    const { ref } = this;
    this.access = new RemoteAccess({
      ...{ client, ref, spec, stateDir, services },
      secrets: signal => this.#list('Secret', signal),
      container: pod => this.#container(pod),
    });
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
    this.moves = new RemoteMoves({
      shells: new HoldShells({ ...this.#place(), watched: pods }),
      ...{ client, look },
      container: pod => this.#container(pod),
      dcs: signal => this.#dcs(signal),
    });
    this.faults = remoteFaults(client, object, look);
  }

  [Symbol.dispose](): void {
    this.access[Symbol.dispose]();
    this.moves[Symbol.dispose]();
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

  /** Serialised by Patroni and by versions of objects: nothing to hold. */
  async lock(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} };
  }

  /** What the operator goes by. */
  async appliedManifest(): Promise<string> {
    return this.#manifest;
  }

  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    return readLogs(this.#client, this.ref, options, signal);
  }

  desired(): Desired {
    const { spec } = this;
    return { spec, components: componentsOf(spec), config: desiredDynamicConfig(spec, DEFAULTS) };
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
