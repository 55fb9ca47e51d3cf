/** Changes of Patroni's dynamic configuration, each with the proof that the members have taken it over. */
import type { DynamicConfig, MemberObservation } from '../../core/topology/observation.ts';
import type { Session } from '../../engine/postgres/connection.ts';
import { PgherdError } from '../../lib/errors.ts';
import { poll } from '../../lib/time.ts';
import type { ClientPool } from './clients.ts';

const SLOT_GONE_MS = 60_000;
/** A member's loop runs at least once per loop_wait. */
const TAKEN_OVER_EXTRA_MS = 15_000;

/** Patroni reloads its server and asks it a second later what waits for a restart; twice that and it is settled. */
const SETTLED_MS = 3000;
const SETTLE_DEADLINE_MS = 30_000;

/**
 * Patches the configuration, and waits until every member that answers has read the DCS since and, where the patch
 * touches one of `restartParameters`, shows that it waits for a restart. Where a server sees no need for one
 * (the value was in force already), the wait ends after a few seconds without an error.
 */
export async function patchDynamicConfig(
  patch: DynamicConfig,
  members: MemberObservation[],
  restartParameters: string[],
  clients: ClientPool,
  signal: AbortSignal,
): Promise<void> {
  const answering = members.filter(member => member.problem === undefined).map(member => member.name);
  const [first] = answering;
  if (first === undefined) {
    throw new PgherdError({
      code: 'no-patroni',
      message: 'no Patroni answers, so the configuration cannot be changed',
      hint: 'see `pgherd status`; nothing was changed',
    });
  }
  await clients.patroni(first).patchConfig(patch, signal);
  // Patroni tells the time of its last look in whole seconds.
  const patchedAt = Math.floor(Date.now() / 1000);
  const loopWait = (await clients.patroni(first).config(signal)).loop_wait ?? 10;
  for (const name of answering) {
    await poll(
      async inner =>
        ((await clients.patroni(name).status(inner)).dcs_last_seen ?? 0) > patchedAt ? true : undefined,
      {
        what: `${name} to take over the configuration`,
        timeoutMs: loopWait * 1000 + TAKEN_OVER_EXTRA_MS,
        everyMs: 100,
        signal,
      },
    );
  }
  const changed = Object.keys(patch.postgresql?.parameters ?? {});
  if (changed.some(name => restartParameters.includes(name)))
    await untilRestartsAreKnown(answering, clients, signal);
}

/**
 * Resolves when every member says that it waits for a restart, or when what they say has not changed for a while:
 * then some see no need for one, since the value was in force already, or cannot see it.
 */
async function untilRestartsAreKnown(
  names: string[],
  clients: ClientPool,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  let since = Date.now();
  await poll(
    async inner => {
      const states = await Promise.all(names.map(name => clients.patroni(name).status(inner)));
      const flags = states.map(state => state.pending_restart === true);
      if (flags.every(Boolean)) return true;
      if (flags.join() !== last) since = Date.now();
      last = flags.join();
      return Date.now() - since > SETTLED_MS ? true : undefined;
    },
    { what: 'the members to see what needs a restart', timeoutMs: SETTLE_DEADLINE_MS, everyMs: 200, signal },
  );
}

/**
 * Patroni keeps the slot of a member that left for member_slots_ttl, in case it comes back. This one does not:
 * with a ttl of 0 for a moment the slot goes with the primary's next loop. Killed in between, the next plan finds
 * the wrong ttl and mends it.
 */
export async function dropSlotOf(
  member: string,
  memberKey: string,
  primary: { name: string; connect: () => Promise<Session> },
  clients: ClientPool,
  signal: AbortSignal,
): Promise<void> {
  const client = clients.patroni(primary.name);
  const { member_slots_ttl: ttl } = await client.config(signal);
  // What the member said of itself would otherwise stay until its lease ends, for up to ttl.
  await clients.etcd('etcd-0').deleteKey(memberKey, signal);
  await client.patchConfig({ member_slots_ttl: 0 }, signal);
  try {
    await using session = await primary.connect();
    await poll(
      async () => {
        const rows = await session.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [
          member.replaceAll('-', '_'),
        ]);
        return rows.length === 0 ? true : undefined;
      },
      { what: `the replication slot of ${member} to go`, timeoutMs: SLOT_GONE_MS, everyMs: 200, signal },
    );
  } finally {
    await client.patchConfig({ member_slots_ttl: ttl ?? null }, signal);
  }
}
