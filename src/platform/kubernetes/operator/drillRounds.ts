import { messageOf } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/time.ts';
import type { LiveObject } from '../api/kinds.ts';
import { faultsName } from '../objects/names.ts';
import { OPERATOR_ANNOTATION } from '../reconcile/claim.ts';
import type { Reconciler } from '../reconcile/context.ts';
import { remoteFaults } from '../remote/faults/index.ts';
import { isAbandoned, noteSign, type Sign } from '../remote/faults/signs.ts';

const LOOK_EVERY_MS = 2_000;
const UNDO_MS = 60_000;
/** What could not be undone is tried again. */
const AGAIN_MS = 60_000;

/** Undoes what drills have broken that died before they could do it themselves. */
export class DrillRounds {
  readonly #reconciler: Reconciler;
  readonly #report: (line: string) => void;
  readonly #signs = new Map<string, Sign>();
  readonly #running = new Map<string, Promise<void>>();
  /** Not before, by performance.now(). */
  readonly #notBefore = new Map<string, number>();

  constructor(reconciler: Reconciler, report: (line: string) => void) {
    this.#reconciler = reconciler;
    this.#report = report;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const cluster of this.#reconciler.watched.clusters()) this.#look(cluster, signal);
      await sleep(LOOK_EVERY_MS, signal).catch(() => {});
    }
    await Promise.all(this.#running.values());
  }

  #look(cluster: LiveObject, signal: AbortSignal): void {
    const { watched, operatorId } = this.#reconciler;
    const { name, namespace = 'default', annotations } = cluster.metadata;
    const key = `${namespace}/${name}`;
    const register = watched.find('ConfigMap', namespace, faultsName(name));
    const ours = annotations?.[OPERATOR_ANNOTATION] === operatorId;
    // While nothing is heard from the API server, silence says nothing.
    if (!ours || Object.keys(register?.data ?? {}).length === 0 || !watched.connectedIn(namespace)) {
      this.#signs.delete(key);
      return;
    }
    const now = performance.now();
    const sign = noteSign(this.#signs.get(key), register?.metadata.resourceVersion ?? '', now);
    this.#signs.set(key, sign);
    if (!isAbandoned(sign, now) || this.#running.has(key) || now < (this.#notBefore.get(key) ?? 0)) return;
    const work = this.#undo(cluster, key, sign.version, signal).finally(() => this.#running.delete(key));
    this.#running.set(key, work);
  }

  /** Never rejects. */
  async #undo(cluster: LiveObject, key: string, version: string, outer: AbortSignal): Promise<void> {
    const { client, watched, record } = this.#reconciler;
    const signal = AbortSignal.any([outer, AbortSignal.timeout(UNDO_MS)]);
    const told = (type: 'Normal' | 'Warning', reason: string, message: string) => {
      this.#report(`${key}: ${message}`);
      return record(cluster, { type, reason, message }, outer);
    };
    try {
      const faults = remoteFaults(client, cluster, async () => watched.patroni(key));
      const done = await faults.undoAbandoned(version, { signal, progress: () => {} });
      for (const sentence of done) await told('Normal', 'DrillUndone', sentence);
    } catch (error) {
      if (outer.aborted) return;
      this.#notBefore.set(key, performance.now() + AGAIN_MS);
      await told('Warning', 'DrillNotUndone', messageOf(error));
    }
  }
}
