import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EndpointName } from '../../../core/manifest/spec.ts';
import { RefusedError } from '../../../lib/errors.ts';
import type { ClusterRef } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { forward, tryForward } from '../api/portForward.ts';
import { POSTGRES_PORT, serviceName } from '../objects/names.ts';

/** Who stands behind a Service is looked up for each connection, but not more often than this. */
const FRESH_MS = 250;
const LOOK_MS = 5_000;

interface Backends {
  at: number;
  pods: Promise<string[]>;
}

/**
 * Ports of this machine that lead to a cluster's endpoints: each connection goes to one of the pods that stand behind
 * the Service at that moment. It is as quick to follow a failover as the Service is.
 */
export class Forwards implements Disposable {
  readonly #client: KubeClient;
  readonly #ref: ClusterRef;
  readonly #end = new AbortController();
  readonly #servers: Server[] = [];
  readonly #ports = new Map<EndpointName, number>();
  readonly #backends = new Map<EndpointName, Backends>();
  #turn = 0;

  private constructor(client: KubeClient, ref: ClusterRef) {
    this.#client = client;
    this.#ref = ref;
  }

  /** Rejects with ApiError where port-forwards are not allowed. */
  static async open(
    client: KubeClient,
    ref: ClusterRef,
    endpoints: readonly EndpointName[],
    signal: AbortSignal,
  ): Promise<Forwards> {
    const forwards = new Forwards(client, ref);
    try {
      for (const endpoint of endpoints) await forwards.#listen(endpoint);
      await forwards.#tryOne(endpoints, signal);
      return forwards;
    } catch (error) {
      forwards[Symbol.dispose]();
      throw error;
    }
  }

  port(endpoint: EndpointName): number | undefined {
    return this.#ports.get(endpoint);
  }

  /** Names of the pods that serve an endpoint now. */
  async pods(endpoint: EndpointName): Promise<string[]> {
    const known = this.#backends.get(endpoint);
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.pods;
    const pods = this.#look(endpoint);
    this.#backends.set(endpoint, { at: performance.now(), pods });
    pods.catch(() => this.#backends.delete(endpoint));
    return pods;
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error('the cluster was closed'));
    for (const server of this.#servers) server.close();
  }

  async #listen(endpoint: EndpointName): Promise<void> {
    const server = createServer({ pauseOnConnect: true, noDelay: true }, local => {
      local.on('error', () => {});
      // The client sees an end, as from a server that has just died.
      this.#connect(endpoint, local).catch(() => local.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    this.#ports.set(endpoint, (server.address() as AddressInfo).port);
  }

  async #connect(endpoint: EndpointName, local: Socket): Promise<void> {
    const pods = await this.pods(endpoint);
    this.#turn += 1;
    const pod = pods[this.#turn % pods.length];
    if (pod === undefined) throw nobodyServes(this.#ref, endpoint);
    const target = { namespace: this.#ref.namespace, pod, port: POSTGRES_PORT };
    await forward(this.#client, target, local, this.#end.signal);
  }

  /** What a right that is missing looks like to psql is no help to anybody: found out here. */
  async #tryOne(endpoints: readonly EndpointName[], signal: AbortSignal): Promise<void> {
    for (const endpoint of endpoints) {
      const [pod] = await this.#look(endpoint, signal);
      if (pod === undefined) continue;
      const { namespace } = this.#ref;
      await tryForward(this.#client, { namespace, pod, port: POSTGRES_PORT }, signal);
      return;
    }
  }

  async #look(endpoint: EndpointName, signal = this.#end.signal): Promise<string[]> {
    const { name, namespace } = this.#ref;
    const service = { kind: 'Endpoints', namespace, name: serviceName(name, endpoint) } as const;
    const found = await this.#client.get(service, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]));
    const { subsets = [] } = (found ?? {}) as { subsets?: Subset[] };
    return subsets.flatMap(({ addresses = [] }) => addresses.flatMap(one => one.targetRef?.name ?? []));
  }
}

interface Subset {
  addresses?: { targetRef?: { name?: string } }[];
}

export function nobodyServes({ name }: ClusterRef, endpoint: EndpointName): RefusedError {
  return new RefusedError({
    code: 'not-reachable',
    message: `no pod stands behind the Service ${serviceName(name, endpoint)} now`,
    hint: `look what is wrong: pgherd status ${name}`,
  });
}
