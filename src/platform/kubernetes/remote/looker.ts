import { sleep } from '../../../lib/time.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { TEMPLATE_HASH } from '../objects/labels.ts';
import { patroniConfigMaps } from '../objects/names.ts';
import { type PatroniView, viewOf } from '../patroni/view.ts';
import { judged, noteRenewal, type Renewal } from './renewal.ts';

const AGAIN_MS = 250;

/** Looks at what Patroni says of itself, for whoever does not watch it. */
export class Looker {
  readonly #cluster: string;
  readonly #list: (kind: Kind, signal: AbortSignal) => Promise<LiveObject[]>;
  #renewal: Renewal | undefined;

  /** @param list the cluster's objects of a kind. */
  constructor(cluster: string, list: (kind: Kind, signal: AbortSignal) => Promise<LiveObject[]>) {
    this.#cluster = cluster;
    this.#list = list;
  }

  /** The first look waits until the leader key is seen to be renewed: times of other machines are not trusted. */
  async look(signal: AbortSignal): Promise<PatroniView> {
    for (;;) {
      const [pods, configMaps] = await Promise.all([
        this.#list('Pod', signal),
        this.#list('ConfigMap', signal),
      ]);
      const key = configMaps.find(map => map.metadata.name === patroniConfigMaps(this.#cluster)[0]);
      const text = key?.metadata.annotations?.renewTime ?? '';
      const now = performance.now();
      this.#renewal = noteRenewal(this.#renewal, text, now);
      const { at, renewed } = this.#renewal;
      const view = viewOf({
        cluster: this.#cluster,
        hashAnnotation: TEMPLATE_HASH,
        pods,
        configMaps,
        renewedAgoMs: renewed ? now - at : 0,
      });
      const known = judged(view, this.#renewal, now);
      if (known !== undefined) return known;
      await sleep(AGAIN_MS, signal);
    }
  }
}
