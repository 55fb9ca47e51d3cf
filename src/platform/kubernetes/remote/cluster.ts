import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import type { Observation } from '../../../core/topology/observation.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { poll } from '../../../lib/time.ts';
import type {
  Backups,
  ClientHold,
  ClusterRef,
  Credentials,
  Dumps,
  Journal,
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
import { eventOf } from '../events/recorder.ts';
import { CLUSTER_LABEL, memberSelector, TEMPLATE_HASH } from '../objects/labels.ts';
import { PATRONI_FILE } from '../objects/layout.ts';
import { patroniConfigMaps } from '../objects/names.ts';
import { type PatroniView, primaryOf, viewOf } from '../patroni/view.ts';
import { askSwitchover, PatroniRefusedError, restartMember } from '../patroni/write.ts';
import { MEMBER_CONTAINER } from '../reconcile/act.ts';
import { remoteDumps } from './dumps.ts';
import { observationOf } from './observe.ts';
import { Refused } from './refused.ts';

const REINIT_MS = 60_000;
const CHECKPOINT_MS = 30_000;
/** A leader key that is not renewed within so many rounds of Patroni counts as silent. */
const SILENT_ROUNDS = 4;

/**
 * One cluster on Kubernetes, for a person's commands: looks and asks through the API server alone. What belongs to the
 * operator (making, changing, stopping, deleting) is asked of it by the manifest, and refused here.
 */
export class RemoteCluster extends Refused implements PlatformCluster {
  readonly ref: ClusterRef;
  readonly spec: ClusterSpec;
  readonly notes: string[] = [];
  readonly drillsAllowed = false;
  readonly caFile = '';
  readonly #client: KubeClient;
  readonly #object: LiveObject;
  readonly backups: Backups;
  readonly restores: Restores;
  readonly dumps: Dumps;
  /** What the leader key said, and since when we have seen it say so. */
  #renewal: { text: string; at: number; renewed: boolean } | undefined;

  constructor(client: KubeClient, object: LiveObject, spec: ClusterSpec) {
    super();
    this.#client = client;
    this.#object = object;
    this.spec = spec;
    this.ref = { name: spec.name, namespace: object.metadata.namespace ?? 'default' };
    const { ref } = this;
    const look = (signal: AbortSignal) => this.#look(signal);
    this.backups = new KubeBackups({ client, ref, spec, owner: object, look });
    this.restores = new KubeRestores({ client, ref, spec, owner: object, look });
    this.dumps = remoteDumps(spec.name);
  }

  [Symbol.dispose](): void {}

  async observe(_options: ObserveOptions, signal: AbortSignal): Promise<Observation> {
    const [view, services, deployments] = await Promise.all([
      this.#look(signal),
      this.#list('Service', signal),
      this.#list('Deployment', signal),
    ]);
    return observationOf({ spec: this.spec, view, services, deployments, now: new Date() });
  }

  async leader(signal: AbortSignal): Promise<string | undefined> {
    return (await this.#look(signal)).leader;
  }

  readonly patroni: PatroniOperations = {
    switchover: async ({ from, to }, signal) => {
      const view = await this.#look(signal);
      const target = to ?? view.members.find(member => member.well && member.synchronous)?.name;
      const best = target ?? view.members.find(member => member.well && member.name !== from)?.name;
      if (best === undefined) {
        throw new RefusedError({ code: 'no-candidate', message: 'no standby can take over now' });
      }
      await askSwitchover(from, best, this.#dcs(signal));
    },
    failover: async ({ to }, signal) => {
      await this.#patronictl(to, ['failover', '--candidate', to, '--force'], signal);
    },
    restart: (member, signal) =>
      restartMember(this.#container(member), this.ref.name, { client: this.#client, signal }),
    reinitialise: async (member, signal) => {
      await this.#patronictl(member, ['reinit', this.ref.name, member, '--force'], signal);
    },
  };

  async users(): Promise<string[]> {
    const secrets = await this.#list('Secret', AbortSignal.timeout(15_000));
    const names = secrets.map(secret => decoded(secret, 'username'));
    return names.filter(name => name !== undefined).sort();
  }

  /** PgBouncer's Deployments are not paused yet: clients of a moved primary reconnect. */
  async holdClients(): Promise<ClientHold> {
    return { drained: false, release: async () => {}, [Symbol.asyncDispose]: async () => {} };
  }

  async checkpoint(member: string, signal: AbortSignal): Promise<void> {
    const words = ['psql', '-X', '-q', '-U', 'postgres', '-d', 'postgres', '-c', 'CHECKPOINT'];
    await exec(this.#client, this.#container(member), words, { timeoutMs: CHECKPOINT_MS, signal });
  }

  /** Patroni hands on by itself, a second later. */
  async handOn(): Promise<boolean> {
    return false;
  }

  async awaitOtherPrimary(
    than: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<string> {
    return poll(
      async inner => {
        const primary = primaryOf(await this.#look(inner));
        return primary?.well === true && primary.name !== than ? primary.name : undefined;
      },
      { what: `another primary than ${than}`, timeoutMs, everyMs: 300, signal },
    );
  }

  async credentials(user: string): Promise<Credentials> {
    const secret = `${user.replaceAll('_', '-')}.${this.ref.name}.credentials.postgresql.acid.zalan.do`;
    const { namespace } = this.ref;
    const live = await this.#client.get(
      { kind: 'Secret', namespace, name: secret },
      AbortSignal.timeout(15_000),
    );
    const password = decoded(live, 'password');
    if (password === undefined) {
      throw new RefusedError({
        code: 'unknown-user',
        message: `there are no credentials for user "${user}" in cluster ${this.ref.name}`,
        hint: `there is no Secret ${secret} in namespace ${namespace}`,
      });
    }
    return { secret, username: user, password };
  }

  /** Serialised by Patroni and by versions of objects: nothing to hold. */
  async lock(): Promise<AsyncDisposable> {
    return { [Symbol.asyncDispose]: async () => {} };
  }

  /** Events of the manifest are the journal here. */
  readonly journal: Journal = {
    append: async ({ event, message }) => {
      const reason = event.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
      const object = { ...this.#object, apiVersion: 'acid.zalan.do/v1', kind: 'postgresql' };
      const type = /failed|damaged/.test(event) ? 'Warning' : 'Normal';
      const facts = { type, reason, message } as const;
      await this.#client.create(eventOf(object, facts), AbortSignal.timeout(15_000));
    },
    read: async ({ since }) => {
      const { namespace, name } = this.ref;
      const { items } = await this.#client.list('Event', { namespace }, AbortSignal.timeout(15_000));
      return items
        .filter(item => {
          const of = (item.involvedObject ?? {}) as { kind?: string; name?: string };
          return of.kind === 'postgresql' && of.name === name;
        })
        .map(item => ({
          at: String(item.lastTimestamp ?? item.metadata.creationTimestamp ?? ''),
          actor: 'operator',
          event: String(item.reason ?? ''),
          subject: name,
          message: String(item.message ?? ''),
          reason: undefined,
        }))
        .filter(entry => since === undefined || Date.parse(entry.at) >= since.getTime())
        .sort((a, b) => (a.at < b.at ? -1 : 1));
    },
  };

  endpoint(_name: EndpointName): undefined {
    return undefined;
  }

  #container(pod: string): ExecTarget {
    return { namespace: this.ref.namespace, pod, container: MEMBER_CONTAINER };
  }

  #dcs(signal: AbortSignal) {
    const { name: cluster, namespace } = this.ref;
    return { client: this.#client, namespace, cluster, labels: memberSelector(cluster), signal };
  }

  async #patronictl(pod: string, words: string[], signal: AbortSignal): Promise<void> {
    const command = ['patronictl', '-c', PATRONI_FILE, ...words];
    const result = await exec(this.#client, this.#container(pod), command, { timeoutMs: REINIT_MS, signal });
    if (result.code === 0) return;
    throw new PatroniRefusedError({
      code: 'patroni-refused',
      message: `Patroni refuses: ${words[0]} of ${pod}`,
      detail: `${result.stdout}\n${result.stderr}`.trim().slice(-1000),
    });
  }

  async #list(kind: Kind, signal: AbortSignal): Promise<LiveObject[]> {
    const { name, namespace } = this.ref;
    const labelSelector = `${CLUSTER_LABEL}=${name}`;
    return (await this.#client.list(kind, { namespace, labelSelector }, signal)).items;
  }

  /** The first look waits until the leader key is seen to be renewed: times of other machines are not trusted. */
  async #look(signal: AbortSignal): Promise<PatroniView> {
    for (;;) {
      const [pods, configMaps] = await Promise.all([
        this.#list('Pod', signal),
        this.#list('ConfigMap', signal),
      ]);
      const key = configMaps.find(map => map.metadata.name === patroniConfigMaps(this.ref.name)[0]);
      const text = key?.metadata.annotations?.renewTime ?? '';
      const now = performance.now();
      if (this.#renewal?.text !== text) {
        this.#renewal = { text, at: now, renewed: this.#renewal !== undefined };
      }
      const { at, renewed } = this.#renewal;
      const view = viewOf({
        cluster: this.ref.name,
        hashAnnotation: TEMPLATE_HASH,
        pods,
        configMaps,
        renewedAgoMs: renewed ? now - at : 0,
      });
      const rounds = (view.config?.loop_wait ?? 10) * 1000 * SILENT_ROUNDS;
      const silent = now - at > rounds;
      if (view.leader === undefined || renewed) return view;
      if (silent) return { ...view, leader: undefined, stale: true };
      await new Promise(resolve => setTimeout(resolve, 250));
      signal.throwIfAborted();
    }
  }
}
