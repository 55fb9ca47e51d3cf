/** What the DCS says: the leader key with its lease, the synchronous standbys, whether Patroni is paused. */
import { z } from 'zod';
import type { LeaderRead } from '../../../core/failover/sample.ts';
import type { EtcdClient, KeyValue } from '../../../engine/etcd/client.ts';
import type { ClientPool } from '../clients.ts';
import { VOTERS } from '../layout.ts';

export interface DcsRead {
  leader: LeaderRead;
  sync: { leader: string | undefined; standbys: string[] } | undefined;
  paused: boolean;
  /** By member: what it wrote of itself. */
  members: Record<string, KeyValue>;
}

/** A read that meets an election of etcd's hangs; a new one succeeds as soon as there is a leader. */
const ANSWER_MS = 400;

const syncRecord = z.object({ leader: z.string().nullish(), sync_standby: z.string().nullish() });
const configRecord = z.object({ pause: z.boolean().optional() });

/**
 * Any voter with a quorum behind it: all of them at once where the one on the suspect's host may be gone with it, else
 * one after the other, which costs a third.
 */
async function anyVoter<T>(
  clients: ClientPool,
  everyVoter: boolean,
  ask: (voter: EtcdClient) => Promise<T>,
): Promise<T> {
  const voters = Array.from({ length: VOTERS }, (_, n) => clients.etcd(`etcd-${n}`));
  if (everyVoter) return await Promise.any(voters.map(ask));
  const [first, ...others] = voters;
  if (first === undefined) throw new TypeError('a cluster has voters');
  return await ask(first).catch(() => Promise.any(others.map(ask)));
}

/** Reads all of it at once. Never rejects but for the signal. */
export async function readDcs(
  scope: string,
  clients: ClientPool,
  { now, everyVoter }: { now: () => number; everyVoter: boolean },
  signal: AbortSignal,
): Promise<DcsRead> {
  const sentAt = now();
  try {
    return await anyVoter(clients, everyVoter, async voter => {
      const keys = await voter.readPrefix(`${scope}/`, signal, ANSWER_MS);
      const found = (name: string) => keys.find(({ key }) => key === `${scope}/${name}`);
      return {
        leader: await readLeader(voter, found('leader'), sentAt, signal),
        sync: asSync(found('sync')),
        paused: parsed(configRecord, found('config'))?.pause === true,
        members: Object.fromEntries(
          keys
            .filter(({ key }) => key.startsWith(`${scope}/members/`))
            .map(pair => [pair.key.slice(`${scope}/members/`.length), pair]),
        ),
      };
    });
  } catch {
    signal.throwIfAborted();
    return { leader: { state: 'unreadable' }, sync: undefined, paused: false, members: {} };
  }
}

async function readLeader(
  voter: EtcdClient,
  key: KeyValue | undefined,
  sentAt: number,
  signal: AbortSignal,
): Promise<LeaderRead> {
  const lease = key?.lease === undefined ? undefined : await voter.leaseOf(key.lease, signal, ANSWER_MS);
  if (key === undefined || lease === undefined) return { state: 'none', sentAt };
  const { remainingMs: leaseRemainingMs, ttlMs } = lease;
  return { state: 'held', name: key.value, revision: key.revision, leaseRemainingMs, ttlMs, sentAt };
}

function asSync(key: KeyValue | undefined): DcsRead['sync'] {
  const record = parsed(syncRecord, key);
  if (record === undefined) return undefined;
  const standbys = (record.sync_standby ?? '').split(',').filter(name => name !== '');
  return { leader: record.leader ?? undefined, standbys };
}

function parsed<T>(schema: z.ZodType<T>, key: KeyValue | undefined): T | undefined {
  if (key === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(key.value));
  } catch {
    return undefined;
  }
}

/**
 * Deletes the leader key if it still has this revision; with `tag`, the member's own record is marked nofailover in
 * the same transaction, so that Patroni's election does not wait for its answer. The voter `suspect` is asked last.
 * Resolves with whether it was deleted.
 */
export async function revokeLeader(
  scope: string,
  clients: ClientPool,
  options: { revision: string; tag: KeyValue | undefined; suspect: number | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  const { revision, tag, suspect } = options;
  const put = tag && { key: tag.key, value: withoutFailover(tag.value), lease: tag.lease };
  // One after the other: of several at once only the first could succeed, and another might answer first.
  let failure: unknown;
  const voters = Array.from({ length: VOTERS }, (_, n) => n);
  for (const n of voters.toSorted((a, b) => Number(a === suspect) - Number(b === suspect))) {
    try {
      const voter = clients.etcd(`etcd-${n}`);
      return await voter.compareAndDelete(`${scope}/leader`, revision, put, signal, ANSWER_MS);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** A member's record with the tag; it writes its own again as soon as it is back. */
function withoutFailover(record: string): string {
  const { tags, ...rest } = z.looseObject({ tags: z.looseObject({}).default({}) }).parse(JSON.parse(record));
  return JSON.stringify({ ...rest, tags: { ...tags, nofailover: true } });
}
