import { sleep } from '../../../lib/time.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { TEMPLATE_HASH } from '../objects/labels.ts';
import { patroniConfigMaps } from '../objects/names.ts';
import { type PatroniView, viewOf } from '../patroni/view.ts';

/** A leader key that is not renewed within so many rounds of Patroni counts as silent. */
const SILENT_ROUNDS = 4;
const DEFAULT_ROUND_S = 10;
const AGAIN_MS = 250;

/** Looks at what Patroni says of itself, for whoever does not watch it. */
export class Looker {
  readonly #cluster: string;
  readonly #list: (kind: Kind, signal: AbortSignal) => Promise<LiveObject[]>;
  /** What the leader key said, and since when we have seen it say so. */
  #renewal: { text: string; at: number; renewed: boolean } | undefined;

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
      if (this.#renewal?.text !== text) {
        this.#renewal = { text, at: now, renewed: this.#renewal !== undefined };
      }
      const { at, renewed } = this.#renewal;
      const view = viewOf({
        cluster: this.#cluster,
        hashAnnotation: TEMPLATE_HASH,
        pods,
        configMaps,
        renewedAgoMs: renewed ? now - at : 0,
      });
      if (view.leader === undefined || renewed) return view;
      const rounds = (view.config?.loop_wait ?? DEFAULT_ROUND_S) * 1000 * SILENT_ROUNDS;
      if (now - at > rounds) return { ...view, leader: undefined, stale: true };
      await sleep(AGAIN_MS, signal);
    }
  }
}
