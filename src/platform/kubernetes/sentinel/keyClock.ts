import type { LeaderRead } from '../../../core/failover/sample.ts';
import type { LeaderKey } from '../patroni/leaderKey.ts';

/**
 * When the lease of the leader key ends. Patroni counts its ttl from when a renewal is seen, and so do we, by our own
 * clock: the times in the annotations are those of other machines. Pure but for its memory of the last renewal.
 */
export class KeyClock {
  #text: string | undefined;
  #at: number | undefined;
  #before: string | undefined;
  #seenAt = Number.NEGATIVE_INFINITY;

  /**
   * A look at the key. A renewal that it shows and none before was written after `writtenAfter`, and was not there when
   * an older one was seen. How old the first one is nobody knows: it counts from when we saw it, since a lease that is
   * about to end is a reason to kill.
   */
  note({ renewTime }: LeaderKey, seenAt: number, writtenAfter: number = seenAt): void {
    // A watch may tell again what a quorum has answered before.
    if (renewTime === this.#before) return;
    if (renewTime !== this.#text) {
      this.#at = this.#text === undefined ? seenAt : Math.max(this.#seenAt, writtenAfter);
      this.#before = this.#text;
      this.#text = renewTime;
    }
    this.#seenAt = Math.max(this.#seenAt, seenAt);
  }

  /** The key in the words of core/failover. */
  read(key: LeaderKey | undefined, sentAt: number): LeaderRead {
    if (key?.holder === undefined) return { state: 'none', sentAt };
    const { holder: name, revision, ttlMs } = key;
    const leaseRemainingMs = this.#at === undefined ? 0 : Math.max(0, this.#at + ttlMs - sentAt);
    return { state: 'held', name, revision, leaseRemainingMs, ttlMs, sentAt };
  }
}
