/**
 * The quick end of a planned move. Once PostgreSQL is shut down, Patroni of the old primary sleeps for a second before
 * it gives the leader key back (ha.py, `on_shutdown`: "give replicas some more time to catch up"). Who is named in /sync
 * has every acknowledged write already (core/failover/SPEC.md, A1 to A5), so nothing is gained by it.
 */
import { join } from 'node:path';
import { lsnBytes } from '../../core/schedule/wal.ts';
import { sleep } from '../../lib/time.ts';
import type { InsideTarget } from '../contract.ts';
import { insideTarget } from './access.ts';
import type { ClientPool } from './clients.ts';
import { readControlData } from './controlData.ts';
import { postmasterOf } from './faults/processes.ts';
import { ordinalOf, type Paths } from './layout.ts';
import { connectInside } from './primarySql.ts';
import type { ClusterRecord } from './record.ts';
import { readDcs, revokeLeader } from './sentinel/dcs.ts';

const ASK_EVERY_MS = 15;
/** A program has to be started for each look. */
const CONTROL_EVERY_MS = 60;
const ANSWER_MS = 500;

interface Means {
  scope: string;
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
}

/** Resolves with the heirs, if the key was this member's still, and was deleted. Rejects when the signal aborts before. */
export async function handOn(member: string, means: Means, signal: AbortSignal): Promise<string[]> {
  const { scope, paths, clients } = means;
  const options = { now: () => performance.now(), everyVoter: true };
  const { leader, sync: before } = await readDcs(scope, clients, options, signal);
  if (leader.state !== 'held' || leader.name !== member) return [];
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  try {
    await Promise.race([
      untilGone(paths, member, until),
      untilReceived(member, before?.standbys ?? [], means, until),
    ]);
  } finally {
    ended.abort();
  }
  const { sync } = await readDcs(scope, clients, options, signal);
  if (sync?.leader !== member || sync.standbys.length === 0) return [];
  const key = { revision: leader.revision, tag: undefined, suspect: ordinalOf(member) };
  return (await revokeLeader(scope, clients, key, signal)) ? sync.standbys : [];
}

async function untilGone(paths: Paths, member: string, signal: AbortSignal): Promise<void> {
  while ((await postmasterOf(paths, member)) !== undefined) await sleep(ASK_EVERY_MS, signal);
}

/**
 * Until PostgreSQL is shut down, by its own word on disk, and a standby has received the record of that: the archiver may
 * have a segment to finish before the process ends (measured: two seconds on a busy machine), and nobody need wait for it.
 */
async function untilReceived(
  member: string,
  standbys: readonly string[],
  { paths, record }: Means,
  signal: AbortSignal,
): Promise<void> {
  const data = join(paths.data, member, 'pgdata');
  for (;;) {
    const control = await readControlData(record, data, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (control?.state === 'shut down') {
      const end = lsnBytes(control.checkpoint);
      const received = await Promise.all(
        standbys.map(standby => receivedBy(insideTarget(record, paths, standby), signal)),
      );
      if (received.some(lsn => lsn !== undefined && lsn > end)) return;
    }
    await sleep(CONTROL_EVERY_MS, signal);
  }
}

/** undefined: it does not answer, or has received nothing since it was started. */
async function receivedBy(target: InsideTarget, signal: AbortSignal): Promise<bigint | undefined> {
  try {
    await using session = await connectInside(target, signal, ANSWER_MS);
    const [row] = await session.query('SELECT pg_last_wal_receive_lsn()::text AS received');
    return typeof row?.received === 'string' ? lsnBytes(row.received) : undefined;
  } catch {
    return undefined;
  }
}
