/** Patroni while its members' data are exchanged: paused, and without memory of the data before. */
import { poll } from '../../../../lib/time.ts';
import { ApiConflictError } from '../../api/errors.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { memberSelector } from '../../objects/labels.ts';
import { podName } from '../../objects/names.ts';
import { wakePatroni } from '../../patroni/wake.ts';
import type { DcsContext } from '../../patroni/write.ts';
import type { KubeBackupInput } from '../input.ts';
import { ASIDE_ANNOTATION, type AsideNote, asideOf, SWAP_ANNOTATION, type SwapNote } from './note.ts';

const PAUSED_MS = 90_000;
const WAKE_EVERY_MS = 2000;
const LOOK_EVERY_MS = 300;

/** What Patroni remembers of data, by its ConfigMaps. */
const FORGOTTEN = [
  ['leader', ['leader', 'optime', 'slots', 'retain_slots', 'failsafe']],
  ['failover', ['leader', 'member', 'scheduled_at']],
  ['sync', ['leader', 'sync_standby', 'quorum']],
] as const;

type Annotations = Record<string, string | null>;

export class Pausing {
  readonly #input: KubeBackupInput;

  constructor(input: KubeBackupInput) {
    this.#input = input;
  }

  /** Of Patroni's ConfigMaps: undefined where there is none yet. */
  async config(signal: AbortSignal): Promise<LiveObject | undefined> {
    return await this.#input.client.get(this.#ref('config'), signal);
  }

  async isPaused(signal: AbortSignal): Promise<boolean> {
    return configOf(await this.config(signal)).pause === true;
  }

  /** Pauses Patroni and notes why, in one write: neither is ever there without the other. */
  async begin(swap: SwapNote, signal: AbortSignal): Promise<void> {
    await this.#edit(signal, config => ({
      config: JSON.stringify({ ...configOf(config), pause: true }),
      [SWAP_ANNOTATION]: JSON.stringify(swap),
      [ASIDE_ANNOTATION]: JSON.stringify([
        ...asideOf(config).filter(({ name }) => name !== swap.aside.name),
        swap.aside,
      ]),
    }));
  }

  /** Takes `begin` back, where nothing was touched yet. */
  async abandon({ aside }: SwapNote, signal: AbortSignal): Promise<void> {
    await this.#edit(signal, config => ({
      config: resumed(config),
      [SWAP_ANNOTATION]: null,
      [ASIDE_ANNOTATION]: JSON.stringify(asideOf(config).filter(({ name }) => name !== aside.name)),
    }));
  }

  /**
   * Lets Patroni go on, without what it remembers of the data before: the position that a new primary must not be
   * behind, who may take over, the history. The identifier and the configuration stay.
   */
  async resume(signal: AbortSignal): Promise<void> {
    const { client } = this.#input;
    for (const [part, names] of FORGOTTEN) {
      const ref = this.#ref(part);
      if ((await client.get(ref, signal)) === undefined) continue;
      const annotations = Object.fromEntries(names.map(name => [name, null]));
      await client.merge(ref, { metadata: { annotations } }, signal);
    }
    await this.#edit(signal, config => ({ config: resumed(config), history: null }));
  }

  async end(signal: AbortSignal): Promise<void> {
    await this.#edit(signal, () => ({ [SWAP_ANNOTATION]: null }));
  }

  async writeAside(notes: AsideNote[], signal: AbortSignal): Promise<void> {
    await this.#edit(signal, () => ({
      [ASIDE_ANNOTATION]: notes.length === 0 ? null : JSON.stringify(notes),
    }));
  }

  /** Until every member has read that it is paused: what is stopped then stays stopped. */
  async untilPaused(signal: AbortSignal): Promise<void> {
    const { client, ref, spec } = this.#input;
    await this.waking('all members to be paused', PAUSED_MS, signal, async inner => {
      for (let n = 0; n < spec.instances; n += 1) {
        const name = podName(ref.name, n);
        const pod = await client.get({ kind: 'Pod', namespace: ref.namespace, name }, inner);
        const said = pod?.metadata.annotations?.status ?? '';
        if (!/"pause":\s*true/.test(said)) return undefined;
      }
      return true;
    });
  }

  /** Polls, and has Patroni look more often than it would by itself. */
  async waking<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    look: (signal: AbortSignal) => Promise<T | undefined>,
  ): Promise<T> {
    let woken = performance.now();
    return await poll(
      async inner => {
        const found = await look(inner);
        if (found !== undefined || performance.now() - woken < WAKE_EVERY_MS) return found;
        woken = performance.now();
        await wakePatroni(this.#dcs(inner)).catch(() => {});
        return undefined;
      },
      { what, timeoutMs, everyMs: LOOK_EVERY_MS, signal },
    );
  }

  #dcs(signal: AbortSignal): DcsContext {
    const { client, ref } = this.#input;
    const { name: cluster, namespace } = ref;
    return { client, namespace, cluster, labels: memberSelector(cluster), signal };
  }

  #ref(part: 'config' | 'leader' | 'failover' | 'sync') {
    const { name, namespace } = this.#input.ref;
    return { kind: 'ConfigMap', namespace, name: `${name}-${part}` } as const;
  }

  async #edit(signal: AbortSignal, change: (config: LiveObject) => Annotations): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const live = await this.config(signal);
      if (live === undefined) throw new TypeError('a cluster that runs has a configuration of Patroni');
      const { resourceVersion } = live.metadata;
      try {
        const metadata = { resourceVersion, annotations: change(live) };
        await this.#input.client.merge(this.#ref('config'), { metadata }, signal);
        return;
      } catch (error) {
        if (!(error instanceof ApiConflictError)) throw error;
      }
    }
  }
}

function configOf(config: LiveObject | undefined): Record<string, unknown> {
  return JSON.parse(config?.metadata.annotations?.config ?? '{}') as Record<string, unknown>;
}

function resumed(config: LiveObject): string {
  const { pause: _pause, ...rest } = configOf(config);
  return JSON.stringify(rest);
}
