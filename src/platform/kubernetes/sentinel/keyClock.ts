import type { LeaderRead } from '../../../core/failover/sample.ts';
import type { LeaderKey } from '../patroni/leaderKey.ts';

/**
 * When the lease of the leader key ends. Patroni counts its ttl from when a renewal is seen, and so do we, by our own
 * clock: the times in the annotations are those of other machines. Pure but for its memory of the last renewal.
 */
export class KeyClock {
  #text: string | undefined;
  #at: number | undefined;

  /** A look at the key; `renewedAt`: not later than this the renewal that it shows was written, if it is a new one. */
  note({ renewTime }: LeaderKey, renewedAt: number): void {
    if (this.#text === renewTime) return;
    // Of the first one nobody knows how old it is.
    this.#at = this.#text === undefined ? undefined : renewedAt;
    this.#text = renewTime;
  }

  /** The key in the words of core/failover. */
  read(key: LeaderKey | undefined, sentAt: number): LeaderRead {
    if (key?.holder === undefined) return { state: 'none', sentAt };
    const { holder: name, revision, ttlMs } = key;
    const leaseRemainingMs = this.#at === undefined ? 0 : Math.max(0, this.#at + ttlMs - sentAt);
    return { state: 'held', name, revision, leaseRemainingMs, ttlMs, sentAt };
  }
}
