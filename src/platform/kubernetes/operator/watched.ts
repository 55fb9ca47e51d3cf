import type { KubeClient } from '../api/client.ts';
import type { ApiForbiddenError } from '../api/errors.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { Informer } from '../informer/informer.ts';
import { keyOf } from '../informer/store.ts';
import { CLUSTER_LABEL, TEMPLATE_HASH } from '../objects/labels.ts';
import { patroniConfigMaps } from '../objects/names.ts';
import { onlyHeartbeat, type PatroniView, viewOf } from '../patroni/view.ts';

/** Kinds of children that are ours to make, change and remove. */
export const CHILD_KINDS = [
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'Secret',
  'ConfigMap',
  'Service',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'StatefulSet',
  'Deployment',
  'CronJob',
  'PersistentVolumeClaim',
] as const satisfies readonly Kind[];

export interface WatchedOptions {
  /** Namespaces; undefined: all. */
  namespaces: readonly string[] | undefined;
  /** A cluster (namespace/name) that something has happened to. */
  onCluster(key: string): void;
  onTrouble(kind: Kind, error: unknown): void;
}

interface Renewal {
  /** What the leader key said, and when we first saw it say so (performance.now()). */
  text: string;
  leader: string;
  at: number;
}

/** Everything of all clusters that can be seen by watching: nobody is asked, so looking costs nothing. */
export class Watched {
  readonly #informers: Informer[] = [];
  readonly #renewals = new Map<string, Renewal>();
  readonly #options: WatchedOptions;
  /** Told when the leader key of a cluster passes to another member: how long nobody held it, as we saw it. */
  onLeader: (key: string, change: { from: string; to: string; silentMs: number }) => void = () => {};

  constructor(client: KubeClient, options: WatchedOptions) {
    this.#options = options;
    const kinds: Kind[] = ['postgresql', ...CHILD_KINDS, 'Pod', 'Node'];
    for (const kind of kinds) {
      for (const namespace of kind === 'Node' ? [undefined] : (options.namespaces ?? [undefined])) {
        const labelSelector = kind === 'postgresql' || kind === 'Node' ? undefined : CLUSTER_LABEL;
        const informer = new Informer(client, {
          kind,
          selection: { namespace, labelSelector },
          // A namespaced operator may not look at nodes: it notices no drain then.
          optional: kind === 'Node',
          groupOf: object => clusterOf(kind, object),
          onChange: (object, previous) => this.#changed(kind, object, previous),
          onTrouble: error => options.onTrouble(kind, error),
        });
        this.#informers.push(informer);
      }
    }
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.run(signal)));
  }

  /** Resolves when everything was listed once, or may not be listed. */
  async ready(): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.ready));
  }

  /** Whether what we know is fresh: every watch has a connection. */
  get connected(): boolean {
    return this.#informers.every(informer => informer.connected);
  }

  /** The same of all that concerns one namespace. */
  connectedIn(namespace: string): boolean {
    return this.#informers.every(informer => informer.connected || !informer.covers(namespace));
  }

  /** A right that is missing there; undefined: none is known to be. */
  forbiddenIn(namespace: string): ApiForbiddenError | undefined {
    return this.#informers.find(informer => informer.covers(namespace) && informer.forbidden !== undefined)
      ?.forbidden;
  }

  clusters(): LiveObject[] {
    return this.#of('postgresql').flatMap(informer => [...informer.store.all()]);
  }

  cluster(key: string): LiveObject | undefined {
    for (const informer of this.#of('postgresql')) {
      const found = informer.store.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Objects of one kind that belong to the cluster. */
  children(kind: Kind, key: string): LiveObject[] {
    return this.#of(kind).flatMap(informer => informer.store.group(key));
  }

  find(kind: Kind, namespace: string, name: string): LiveObject | undefined {
    for (const informer of this.#of(kind)) {
      const found = informer.store.get(`${namespace}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Puts in what a request of ours has answered, before the watch tells it. */
  put(kind: Kind, object: LiveObject): void {
    const { namespace } = object.metadata;
    const own = this.#of(kind).find(informer => informer.covers(namespace));
    // Whatever the watch brought meanwhile is newer or the same.
    if (own !== undefined && own.store.get(keyOf(object)) === undefined) own.store.set(object);
  }

  /** What Patroni says of a cluster, as it was last seen. */
  patroni(key: string): PatroniView {
    return viewOf({
      cluster: key.slice(key.indexOf('/') + 1),
      hashAnnotation: TEMPLATE_HASH,
      pods: this.children('Pod', key),
      configMaps: this.children('ConfigMap', key),
      renewedAgoMs: this.renewedAgoMs(key, performance.now()),
    });
  }

  cordonedNodes(): Set<string> {
    const nodes = this.#of('Node').flatMap(informer => [...informer.store.all()]);
    const closed = (node: LiveObject) =>
      (node.spec as { unschedulable?: boolean } | undefined)?.unschedulable === true;
    return new Set(nodes.filter(closed).map(node => node.metadata.name));
  }

  /** When the leader key was last seen to be renewed (performance.now()). */
  renewedAt(key: string): number | undefined {
    return this.#renewals.get(key)?.at;
  }

  /** Milliseconds since the leader key was last seen to be renewed. */
  renewedAgoMs(key: string, now: number): number | undefined {
    const renewal = this.#renewals.get(key);
    return renewal === undefined ? undefined : now - renewal.at;
  }

  #of(kind: Kind): Informer[] {
    return this.#informers.filter(informer => informer.kind === kind);
  }

  #changed(kind: Kind, object: LiveObject | undefined, previous: LiveObject | undefined): void {
    const either = object ?? previous;
    if (either === undefined) return;
    if (kind === 'Node') {
      this.#nodeChanged(object, previous);
      return;
    }
    const key = clusterOf(kind, either);
    if (key === undefined) return;
    if (kind === 'ConfigMap' && object !== undefined) this.#noteRenewal(key, object);
    const restless = kind === 'ConfigMap' || kind === 'Pod';
    if (restless && object !== undefined && previous !== undefined && onlyHeartbeat(previous, object)) return;
    this.#options.onCluster(key);
  }

  #noteRenewal(key: string, map: LiveObject): void {
    const cluster = key.slice(key.indexOf('/') + 1);
    if (map.metadata.name !== patroniConfigMaps(cluster)[0]) return;
    const { renewTime = '', leader = '' } = map.metadata.annotations ?? {};
    const before = this.#renewals.get(key);
    const now = performance.now();
    if (before?.text === renewTime) return;
    // Nobody holds the key: since when is told by the last holder's renewal.
    if (leader === '') return;
    if (before !== undefined && before.leader !== leader) {
      this.onLeader(key, { from: before.leader, to: leader, silentMs: now - before.at });
    }
    this.#renewals.set(key, { text: renewTime, leader, at: now });
  }

  /** A node that is closed or opened concerns every cluster with a member on it. */
  #nodeChanged(object: LiveObject | undefined, previous: LiveObject | undefined): void {
    const closed = (node: LiveObject | undefined) =>
      (node?.spec as { unschedulable?: boolean } | undefined)?.unschedulable === true;
    if (object !== undefined && previous !== undefined && closed(object) === closed(previous)) return;
    const name = (object ?? previous)?.metadata.name;
    for (const informer of this.#of('Pod')) {
      for (const pod of informer.store.all()) {
        const key = clusterOf('Pod', pod);
        if ((pod.spec as { nodeName?: string } | undefined)?.nodeName === name && key !== undefined)
          this.#options.onCluster(key);
      }
    }
  }
}

/** namespace/name of the cluster that an object is, or belongs to. */
function clusterOf(kind: Kind, object: LiveObject): string | undefined {
  if (kind === 'Node') return undefined;
  if (kind === 'postgresql') return keyOf(object);
  const name = object.metadata.labels?.[CLUSTER_LABEL];
  return name === undefined ? undefined : `${object.metadata.namespace}/${name}`;
}
