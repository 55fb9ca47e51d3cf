import { PgherdError } from '../../../lib/errors.ts';
import { sleep, withDeadline } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import {
  actsUntil,
  type LeaseRecord,
  type LeaseSighting,
  type LeaseTiming,
  mayTake,
  sight,
} from './judge.ts';

/** We acted for another replica's turn: whatever was about to be written is not. */
export class LeadershipLostError extends PgherdError {
  constructor() {
    super({ code: 'leadership-lost', message: 'another replica of the operator may act by now' });
  }
}

export interface LeadershipOptions {
  namespace: string;
  name: string;
  /** Unique for each process. */
  identity: string;
  timing: LeaseTiming;
  /** What others should know of who holds it. */
  annotations: Record<string, string>;
  /** Acts while the signal is not aborted; told `check`, to be called before every write. */
  lead(signal: AbortSignal, check: () => void): Promise<void>;
  onTrouble(error: unknown): void;
  onLeading(leading: boolean): void;
}

/**
 * Takes part in the election until `signal` aborts: whenever we hold the Lease, `lead` runs. It is stopped before
 * another replica may take over, also when this process was asleep meanwhile; at the end the Lease is given back, so
 * that the other one need not wait.
 */
export async function campaign(
  client: KubeClient,
  options: LeadershipOptions,
  signal: AbortSignal,
): Promise<void> {
  const lease = new LeaseKeeper(client, options);
  while (!signal.aborted) {
    try {
      if (await lease.renew(signal)) await leadOnce(lease, options, signal);
    } catch (error) {
      if (!signal.aborted) options.onTrouble(error);
    }
    await sleep(options.timing.everyMs, signal).catch(() => {});
  }
}

async function leadOnce(lease: LeaseKeeper, options: LeadershipOptions, signal: AbortSignal): Promise<void> {
  const { timing } = options;
  const term = new AbortController();
  const stop = () => term.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  options.onLeading(true);
  const check = () => {
    if (performance.now() >= lease.actsUntil) {
      term.abort(new LeadershipLostError());
      throw new LeadershipLostError();
    }
  };
  const work = options.lead(term.signal, check);
  const ended = work.then(
    () => term.abort(),
    error => term.abort(error),
  );
  try {
    while (!term.signal.aborted) {
      const left = () => Math.max(0, lease.actsUntil - performance.now());
      await sleep(Math.min(timing.everyMs, left()), term.signal).catch(() => {});
      if (term.signal.aborted) break;
      // A renewal that hangs must not keep us from noticing that our time is over.
      using limit = withDeadline(term.signal, 'renewing the lease', left());
      const held = await lease.renew(limit).catch(error => {
        options.onTrouble(error);
        return performance.now() < lease.actsUntil;
      });
      if (!held) term.abort(new LeadershipLostError());
    }
    await ended;
    await work.catch(error => {
      if (!(error instanceof LeadershipLostError) && !signal.aborted) throw error;
    });
  } finally {
    signal.removeEventListener('abort', stop);
    options.onLeading(false);
    if (signal.aborted) await lease.release().catch(options.onTrouble);
  }
}

/** Our view of the Lease object. */
class LeaseKeeper {
  /** Of performance.now(). */
  actsUntil = 0;
  readonly #client: KubeClient;
  readonly #options: LeadershipOptions;
  #sighting: LeaseSighting | undefined;

  constructor(client: KubeClient, options: LeadershipOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Takes or renews the lease where that is allowed; resolves with whether we hold it. */
  async renew(signal: AbortSignal): Promise<boolean> {
    const { identity, timing } = this.#options;
    const live = await this.#read(signal);
    this.#sighting = sight(this.#sighting, leaseRecordOf(live), performance.now());
    if (!mayTake(this.#sighting, identity, performance.now())) return false;
    const began = performance.now();
    try {
      const written = await this.#write(live, signal);
      this.#sighting = sight(this.#sighting, leaseRecordOf(written), performance.now());
    } catch (error) {
      if (error instanceof ApiConflictError) return false;
      throw error;
    }
    this.actsUntil = actsUntil(began, timing);
    return true;
  }

  /** Gives the lease back, if it is ours still. */
  async release(): Promise<void> {
    const signal = AbortSignal.timeout(3000);
    const live = await this.#read(signal);
    if (live === undefined || leaseRecordOf(live)?.holder !== this.#options.identity) return;
    await this.#client.replace({ ...live, spec: { ...specOf(live), holderIdentity: '' } }, signal);
  }

  #read(signal: AbortSignal): Promise<LiveObject | undefined> {
    const { namespace, name } = this.#options;
    return this.#client.get({ kind: 'Lease', namespace, name }, signal);
  }

  #write(live: LiveObject | undefined, signal: AbortSignal): Promise<LiveObject> {
    const { namespace, name, identity, timing, annotations } = this.#options;
    const before = live === undefined ? undefined : specOf(live);
    const mine = before?.holderIdentity === identity;
    const now = new Date().toISOString().replace(/Z$/, '000Z');
    const spec = {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: timing.durationMs / 1000,
      acquireTime: mine ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: Number(before?.leaseTransitions ?? 0) + (mine ? 0 : 1),
    };
    if (live !== undefined) {
      const said = { ...live.metadata.annotations, ...annotations };
      return this.#client.replace(
        { ...live, metadata: { ...live.metadata, annotations: said }, spec },
        signal,
      );
    }
    const metadata = { name, namespace, annotations };
    return this.#client.create(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
      signal,
    );
  }
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

function specOf(lease: LiveObject): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}

/** What a Lease says; undefined: there is none. */
export function leaseRecordOf(lease: LiveObject | undefined): LeaseRecord | undefined {
  if (lease === undefined) return undefined;
  const { holderIdentity = '', renewTime = '', leaseDurationSeconds = 15 } = specOf(lease);
  return { holder: holderIdentity, renewTime, durationMs: leaseDurationSeconds * 1000 };
}
