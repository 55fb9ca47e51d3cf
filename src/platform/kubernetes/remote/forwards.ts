import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EndpointName } from '../../../core/manifest/spec.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { ClusterRef } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { memberSelector, PRIMARY_ROLE, ROLE_LABEL, selectorText } from '../objects/labels.ts';
import { MEMBER_CONTAINER, POSTGRES_PORT, serviceName } from '../objects/names.ts';
import { Relay } from './relay.ts';

const OPEN_MS = 15_000;
/** After a relay could not be opened: the next connection does not ask again at once. */
const PAUSE_MS = 500;

/**
 * Ports of this machine that lead to a cluster's Services as a pod sees them: all connections share one relay, which
 * runs in a member's pod, in a standby's where there is one. Who connects here is served as an application is, with the
 * API server's delay on top; a failover is followed as quickly as Kubernetes follows it.
 */
export class Forwards implements Disposable {
  readonly #client: KubeClient;
  readonly #ref: ClusterRef;
  readonly #services: readonly LiveObject[];
  readonly #end = new AbortController();
  readonly #servers: Server[] = [];
  readonly #ports = new Map<EndpointName, number>();
  #relay: Promise<Relay> | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;

  private constructor(client: KubeClient, ref: ClusterRef, services: readonly LiveObject[]) {
    this.#client = client;
    this.#ref = ref;
    this.#services = services;
  }

  /** Rejects with ApiError where the way is not allowed, with RefusedError where no member runs. */
  static async open(
    client: KubeClient,
    ref: ClusterRef,
    endpoints: readonly EndpointName[],
    services: readonly LiveObject[],
    signal: AbortSignal,
  ): Promise<Forwards> {
    const forwards = new Forwards(client, ref, services);
    try {
      for (const endpoint of endpoints) await forwards.#listen(endpoint);
      // What is wrong is told here; a client would only see its connection end.
      await forwards.#through(signal);
      return forwards;
    } catch (error) {
      forwards[Symbol.dispose]();
      throw error;
    }
  }

  port(endpoint: EndpointName): number | undefined {
    return this.#ports.get(endpoint);
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error('the cluster was closed'));
    for (const server of this.#servers) server.close();
  }

  async #listen(endpoint: EndpointName): Promise<void> {
    const name = serviceName(this.#ref.name, endpoint);
    const service = this.#services.find(({ metadata }) => metadata.name === name);
    const { clusterIP } = (service?.spec ?? {}) as { clusterIP?: string };
    const server = createServer({ pauseOnConnect: true, noDelay: true }, local => {
      local.on('error', () => {});
      // The client sees an end, as from a server that has just died.
      this.#connect(local, `${clusterIP} ${POSTGRES_PORT}`).catch(() => local.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    this.#ports.set(endpoint, (server.address() as AddressInfo).port);
  }

  async #connect(local: Socket, address: string): Promise<void> {
    (await this.#through(this.#end.signal)).connect(local, address);
  }

  async #through(signal: AbortSignal): Promise<Relay> {
    if (performance.now() - this.#failedAt < PAUSE_MS) throw nobodyRuns(this.#ref);
    this.#relay ??= this.#open(signal);
    return this.#relay;
  }

  async #open(signal: AbortSignal): Promise<Relay> {
    const over = () => {
      this.#relay = undefined;
    };
    try {
      using opening = withDeadline(signal, `a way into the pods of ${this.#ref.name}`, OPEN_MS);
      const { namespace } = this.#ref;
      const pod = await this.#member(opening);
      const target = { namespace, pod, container: MEMBER_CONTAINER };
      return await Relay.open(this.#client, target, { opening, lasting: this.#end.signal, over });
    } catch (error) {
      this.#failedAt = performance.now();
      over();
      throw error;
    }
  }

  async #member(signal: AbortSignal): Promise<string> {
    const { name, namespace } = this.#ref;
    const labelSelector = selectorText(memberSelector(name));
    const { items } = await this.#client.list('Pod', { namespace, labelSelector }, signal);
    const chosen = relayPod(items);
    if (chosen === undefined) throw nobodyRuns(this.#ref);
    return chosen;
  }
}

/** A member whose pod runs, a standby rather than the primary: that one is busy enough, and drills break it. */
export function relayPod(pods: readonly LiveObject[]): string | undefined {
  const running = pods.filter(({ metadata, status }) => {
    const { phase } = (status ?? {}) as { phase?: string };
    return phase === 'Running' && metadata.deletionTimestamp === undefined;
  });
  const primary = (pod: LiveObject) => pod.metadata.labels?.[ROLE_LABEL] === PRIMARY_ROLE;
  return (running.find(pod => !primary(pod)) ?? running[0])?.metadata.name;
}

function nobodyRuns({ name }: ClusterRef): RefusedError {
  return new RefusedError({
    code: 'not-reachable',
    message: `no member of ${name} runs now: there is no way to it`,
    hint: `look what is wrong: pgherd status ${name}`,
  });
}
