import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { Sentinel } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { SteeredCluster } from '../remote/steered.ts';
import type { PostInput } from './post.ts';
import { KubernetesSentinel } from './senses.ts';

const WARM_EVERY_MS = 5_000;

/** A cluster as the operator has it: within reach over the pod network, and watched already. */
export class GuardedCluster extends SteeredCluster {
  readonly #post: PostInput;
  #warming: NodeJS.Timeout | undefined;

  constructor(client: KubeClient, object: LiveObject, spec: ClusterSpec, post: PostInput) {
    super(client, object, spec, async () => post.watched().pods);
    this.#post = post;
  }

  override readonly sentinel = (): Sentinel => {
    const warm = () => {
      if (this.#post.warm()) void this.moves.warm();
    };
    this.#warming ??= setInterval(warm, WARM_EVERY_MS);
    warm();
    // The first look takes as long as a round of Patroni: it is not to be taken when it matters.
    this.leader(AbortSignal.timeout(WARM_EVERY_MS)).catch(() => {});
    return new KubernetesSentinel(this.#post);
  };

  override [Symbol.dispose](): void {
    clearInterval(this.#warming);
    super[Symbol.dispose]();
  }
}
