import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import type { KubeClient } from '../api/client.ts';
import { bodyOf } from '../api/connection.ts';
import { ApiForbiddenError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { serviceName } from '../objects/names.ts';
import type { Tools } from './context.ts';

/** On the pods by which K3s' servicelb holds the ports of a Service. */
const SERVICELB_LABEL = 'svccontroller.k3s.cattle.io/svcname';
/** MetalLB's own objects: its definitions are there where it is. */
const METALLB_API = '/apis/metallb.io';
const LOOK_MS = 10 * 60_000;

/** Whether servicelb and MetalLB both give addresses to Services: they fight over the status of each. */
export class LoadBalancers {
  readonly #client: KubeClient;
  /** undefined: all namespaces. */
  readonly #namespaces: readonly string[] | undefined;
  #known: { both: boolean; at: number } | undefined;

  constructor(client: KubeClient, namespaces: readonly string[] | undefined) {
    this.#client = client;
    this.#namespaces = namespaces;
  }

  /** Looked at anew after ten minutes. */
  async both(signal: AbortSignal): Promise<boolean> {
    if (this.#known === undefined || performance.now() - this.#known.at > LOOK_MS) {
      const both = (await this.#metallb(signal)) && (await this.#servicelb(signal));
      this.#known = { both, at: performance.now() };
    }
    return this.#known.both;
  }

  async #metallb(signal: AbortSignal): Promise<boolean> {
    const response = await this.#client.connection.send({ method: 'GET', path: METALLB_API }, signal);
    await bodyOf(response);
    return response.statusCode === 200;
  }

  /** Older K3s has its pods beside the Service, newer in kube-system: a role for some namespaces shows the first only. */
  async #servicelb(signal: AbortSignal): Promise<boolean> {
    for (const namespace of this.#namespaces ?? [undefined]) {
      try {
        const selection = { namespace, labelSelector: SERVICELB_LABEL };
        const { items } = await this.#client.list('Pod', selection, signal);
        if (items.length > 0) return true;
      } catch (error) {
        if (!(error instanceof ApiForbiddenError)) throw error;
      }
    }
    return false;
  }
}

/** Time to get an address. */
const PATIENCE_MS = 90_000;

/** Warns where a Service of the cluster gets no address from outside, or would get one from two. */
export async function judgeAddresses(
  cluster: LiveObject,
  spec: ClusterSpec,
  { reconciler, signal }: Tools,
): Promise<void> {
  const { watched, loadBalancers, record, now } = reconciler;
  const { name, namespace = 'default' } = cluster.metadata;
  const warn = (reason: string, message: string) =>
    record(cluster, { type: 'Warning', reason, message }, signal);
  const open = (Object.keys(spec.kubernetes.services) as EndpointName[]).filter(endpoint => {
    const { loadBalancer, nodePort } = spec.kubernetes.services[endpoint];
    return loadBalancer && !nodePort;
  });
  if (open.length === 0) return;
  if (await loadBalancers.both(signal)) {
    await warn(
      'TwoLoadBalancers',
      'servicelb of K3s and MetalLB both give addresses to Services, and overwrite each other: switch servicelb off on ' +
        'every server (`disable: [servicelb]` in /etc/rancher/k3s/config.yaml)',
    );
  }
  const without = open
    .map(endpoint => watched.find('Service', namespace, serviceName(name, endpoint)))
    .filter(service => service !== undefined && !hasAddress(service, now()))
    .map(service => service?.metadata.name);
  if (without.length > 0) {
    await warn(
      'NoAddress',
      `${without.join(', ')}: no load balancer gives an address; servicelb of K3s can give port 5432 of a node to one ` +
        'Service only, MetalLB an address to each',
    );
  }
}

function hasAddress({ metadata, status }: LiveObject, now: Date): boolean {
  const { loadBalancer } = (status ?? {}) as { loadBalancer?: { ingress?: unknown[] } };
  const age = now.getTime() - Date.parse(metadata.creationTimestamp ?? now.toISOString());
  return (loadBalancer?.ingress?.length ?? 0) > 0 || age < PATIENCE_MS;
}
