import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { LockedError } from '../../../lib/lock.ts';
import { sleep } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { LEASE_TIMING, type LeaseSighting, mayTake, sight } from '../lease/judge.ts';
import { leaseRecordOf } from '../lease/leadership.ts';
import { repositoryHostName } from '../objects/names.ts';
import { ownedBy } from './notes.ts';

const REQUEST_MS = 10_000;
const LOOK_EVERY_MS = 1000;

export interface LockWish {
  waitMs: number;
  signal: AbortSignal;
  onWait?: ((holder: string) => void) | undefined;
}

/**
 * Takes the Lease for backup work on a cluster, and renews it until it is given back. One that nobody has renewed for
 * its duration is taken over; since times of others are not trusted, that takes as long to be seen. Rejects with
 * LockedError, which names the holder, when the holder lives and `waitMs` have passed.
 */
export async function takeLease(
  client: KubeClient,
  owner: LiveObject,
  operation: string,
  { waitMs, signal, onWait }: LockWish,
): Promise<AsyncDisposable> {
  const identity = `${operation} (${hostname()}, ${randomBytes(3).toString('hex')})`;
  const lease = new BackupLease(client, owner, identity);
  const began = performance.now();
  let sighting: LeaseSighting | undefined;
  let told = false;
  for (;;) {
    const live = await lease.read(signal);
    const now = performance.now();
    const next = sight(sighting, leaseRecordOf(live), now);
    const renewed = sighting !== undefined && next !== sighting;
    sighting = next;
    if (mayTake(sighting, identity, now) && (await lease.write(live, signal))) return lease.keep();
    const holder = sighting.record?.holder ?? '';
    if (renewed && now - began >= waitMs) {
      throw new LockedError({
        code: 'locked',
        message: `other work on the backups is under way: ${holder}`,
        hint: 'wait until it is done; `pgherd backups` shows what there is',
      });
    }
    if (!told && holder !== '') onWait?.(holder);
    told = true;
    await sleep(LOOK_EVERY_MS, signal);
  }
}

class BackupLease {
  readonly #client: KubeClient;
  readonly #owner: LiveObject;
  readonly #identity: string;

  constructor(client: KubeClient, owner: LiveObject, identity: string) {
    this.#client = client;
    this.#owner = owner;
    this.#identity = identity;
  }

  read(signal: AbortSignal): Promise<LiveObject | undefined> {
    const { name, namespace } = this.#owner.metadata;
    return this.#client.get({ kind: 'Lease', namespace, name: repositoryHostName(name) }, signal);
  }

  /** Resolves with whether it is ours now. */
  async write(live: LiveObject | undefined, signal: AbortSignal): Promise<boolean> {
    const { name, namespace } = this.#owner.metadata;
    const spec = {
      holderIdentity: this.#identity,
      leaseDurationSeconds: LEASE_TIMING.durationMs / 1000,
      renewTime: new Date().toISOString().replace(/Z$/, '000Z'),
    };
    try {
      if (live !== undefined) await this.#client.replace({ ...live, spec }, signal);
      else {
        const metadata = {
          name: repositoryHostName(name),
          namespace,
          ownerReferences: [ownedBy(this.#owner)],
        };
        await this.#client.create(
          { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
          signal,
        );
      }
      return true;
    } catch (error) {
      if (error instanceof ApiConflictError) return false;
      throw error;
    }
  }

  /** Renews until it is disposed of. Who cannot renew goes on: pgBackRest's own locks are there besides. */
  keep(): AsyncDisposable {
    const ended = new AbortController();
    const renewing = (async () => {
      while (!ended.signal.aborted) {
        await sleep(LEASE_TIMING.everyMs, ended.signal).catch(() => {});
        if (ended.signal.aborted) return;
        const limit = AbortSignal.timeout(REQUEST_MS);
        const live = await this.read(limit).catch(() => undefined);
        if (leaseRecordOf(live)?.holder !== this.#identity) continue;
        await this.write(live, limit).catch(() => {});
      }
    })();
    return {
      [Symbol.asyncDispose]: async () => {
        ended.abort();
        await renewing;
        const limit = AbortSignal.timeout(REQUEST_MS);
        const live = await this.read(limit).catch(() => undefined);
        if (live === undefined || leaseRecordOf(live)?.holder !== this.#identity) return;
        const spec = { ...(live.spec as object), holderIdentity: '' };
        // It runs out by itself otherwise.
        await this.#client.replace({ ...live, spec }, limit).catch(() => {});
      },
    };
  }
}
