import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { KubeClient } from '../api/client.ts';
import { bodyOf } from '../api/connection.ts';
import { ApiForbiddenError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
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

/** Warns where a Service of the cluster would get its address from two. */
export async function warnOfTwoLoadBalancers(
  cluster: LiveObject,
  spec: ClusterSpec,
  { reconciler, signal }: Tools,
): Promise<void> {
  const open = Object.values(spec.kubernetes.services).some(
    service => service.loadBalancer && !service.nodePort,
  );
  if (!open || !(await reconciler.loadBalancers.both(signal))) return;
  const message =
    'servicelb of K3s and MetalLB both give addresses to Services, and overwrite each other: switch servicelb off on ' +
    'every server (`disable: [servicelb]` in /etc/rancher/k3s/config.yaml)';
  await reconciler.record(cluster, { type: 'Warning', reason: 'TwoLoadBalancers', message }, signal);
}
