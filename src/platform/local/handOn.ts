/**
 * The quick end of a planned move. Patroni of the old primary sleeps for a second after PostgreSQL was shut down
 * before it gives the leader key back (ha.py, `on_shutdown`: "give replicas some more time to catch up"). Who is named
 * in /sync has every acknowledged write already (core/failover/SPEC.md, A1 to A5), so nothing is gained by it.
 */
import { sleep } from '../../lib/time.ts';
import type { ClientPool } from './clients.ts';
import { postmasterOf } from './faults/processes.ts';
import { ordinalOf, type Paths } from './layout.ts';
import { readDcs, revokeLeader } from './sentinel/dcs.ts';

const ASK_EVERY_MS = 15;

/** Resolves with whether the key was this member's still, and was deleted. Rejects when the signal aborts before. */
export async function handOn(
  member: string,
  { scope, paths, clients }: { scope: string; paths: Paths; clients: ClientPool },
  signal: AbortSignal,
): Promise<boolean> {
  const options = { now: () => performance.now(), everyVoter: true };
  const { leader } = await readDcs(scope, clients, options, signal);
  if (leader.state !== 'held' || leader.name !== member) return false;
  while ((await postmasterOf(paths, member)) !== undefined) await sleep(ASK_EVERY_MS, signal);
  const { sync } = await readDcs(scope, clients, options, signal);
  if (sync?.leader !== member || sync.standbys.length === 0) return false;
  const { revision } = leader;
  return await revokeLeader(scope, clients, { revision, tag: undefined, suspect: ordinalOf(member) }, signal);
}
