import { sleep } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { LEASE_TIMING, type LeaseSighting, SENTINEL_ANNOTATION, sight } from '../lease/judge.ts';
import { leaseRecordOf } from '../lease/leadership.ts';
import { OPERATOR_ANNOTATION } from '../reconcile/claim.ts';

/** Who has not renewed its Lease for so many turns when we first look counts as gone. */
const FIRST_LOOK_MS = 3 * LEASE_TIMING.everyMs;
const AGAIN_MS = 250;

/** Whether the operator that runs a cluster is alive and watches primaries closely: by its Lease. */
export class OperatorSight {
  readonly #client: KubeClient;
  readonly #lease: { kind: 'Lease'; namespace: string; name: string } | undefined;
  #seen: { lease: LeaseSighting; renewed: boolean } | undefined;

  constructor(client: KubeClient, manifest: LiveObject) {
    this.#client = client;
    const [namespace = '', name = ''] = (manifest.metadata.annotations?.[OPERATOR_ANNOTATION] ?? '').split(
      '/',
    );
    this.#lease = name === '' ? undefined : { kind: 'Lease', namespace, name };
  }

  /** The first look waits until the Lease is seen to be renewed. Who may not read it cannot tell: false. */
  async watches(signal: AbortSignal): Promise<boolean> {
    const began = performance.now();
    const first = this.#seen === undefined;
    for (;;) {
      const live = await this.#read(signal);
      if (live?.metadata.annotations?.[SENTINEL_ANNOTATION] !== 'true') return false;
      const now = performance.now();
      const lease = sight(this.#seen?.lease, leaseRecordOf(live), now);
      const changed = this.#seen !== undefined && lease !== this.#seen.lease;
      this.#seen = { lease, renewed: changed || this.#seen?.renewed === true };
      const { record, at } = lease;
      if (record === undefined || record.holder === '') return false;
      if (this.#seen.renewed) return now - at <= record.durationMs;
      if (!first || now - began > FIRST_LOOK_MS) return false;
      await sleep(AGAIN_MS, signal);
    }
  }

  async #read(signal: AbortSignal): Promise<LiveObject | undefined> {
    if (this.#lease === undefined) return undefined;
    try {
      return await this.#client.get(this.#lease, signal);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}
