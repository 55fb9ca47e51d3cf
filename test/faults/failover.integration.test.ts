/** The primary dies, alone or with its whole machine: another member takes over and no acknowledged row is lost. */
import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import type { EventsDocument, StatusDocument } from '../../src/cli/schema.ts';
import { eventually } from '../support/poll.ts';
import { errorsOf } from './support/load.ts';
import { faults, figures, LOGIN, thePrimary, voterOf } from './support/rig.ts';
import { killMachine, postmasterOf, serverOf, strike } from './support/servers.ts';

/** With loop_wait 1 Patroni sees at once that its PostgreSQL is gone. */
const CRASH_GAP_MS = 15_000;
/** A machine's silence counts after ttl (20 s). */
const TTL_MS = 20_000;
const MACHINE_GAP_MS = TTL_MS + 25_000;

faults('the primary dies', 'faults-failover', rig => {
  const { cluster } = rig;

  it('its postmaster: failover, sessions cut, endpoints and poolers follow, the old one streams', async () => {
    const old = thePrimary(await cluster.status());
    await using throughEndpoint = await cluster.connect('primary', LOGIN);
    await using straight = await cluster.connectMember(old, LOGIN);
    const patroni = await serverOf(cluster, old.name);
    const load = await rig.load();

    strike(await postmasterOf(cluster, old.name));
    const killed = performance.now();
    await load.goesOn();
    const writesAfterMs = performance.now() - killed;
    const primary = await rig.newPrimary(old, 30_000);
    await Promise.all([rig.leadsTo('primary', primary), rig.leadsTo('pooler', primary)]);
    for (const session of [throughEndpoint, straight])
      await expect(session.rows('SELECT 1')).rejects.toThrow();

    const { members } = await rig.healthy();
    const healthyMs = performance.now() - killed;
    expect(members.map(member => member.timeline)).toEqual(Array(3).fill((old.timeline ?? 0) + 1));
    const rejoined = members.find(member => member.name === old.name);
    expect(rejoined).toMatchObject({ role: 'standby', state: 'streaming' });
    expect(await serverOf(cluster, old.name), 'Patroni itself was not hurt').toEqual(patroni);
    const { ledger, reads } = await load.finish(cluster);
    figures('postmaster of the primary killed', {
      'write gap ms': ledger.longestGapMs,
      'writes again after ms': writesAfterMs,
      'read gap ms': reads.longestGapMs,
      'status healthy after ms': healthyMs,
      'write errors': errorsOf(ledger),
    });
    expect(ledger.longestGapMs).toBeLessThan(CRASH_GAP_MS);
  });

  it('is written in the journal: who is primary now', async () => {
    const { name } = thePrimary(await cluster.status());
    await eventually('the journal to tell of the failover', 15_000, async () => {
      const words = ['events', cluster.name];
      const { events } = await cluster.sandbox.json<EventsDocument>(words);
      return events.some(({ event, subject }) => event === 'role-changed' && subject === name);
    });
  });

  it('its whole machine: failover after ttl, status says what is lost since when, up repairs it', async () => {
    const old = thePrimary(await cluster.status());
    const load = await rig.load();
    const killedAt = Date.now();
    await killMachine(cluster, old.name, voterOf(old));

    const primary = await rig.newPrimary(old, MACHINE_GAP_MS);
    await load.goesOn(MACHINE_GAP_MS);
    await Promise.all([rig.leadsTo('primary', primary), rig.leadsTo('pooler', primary)]);
    await expectLost(old.name, killedAt);

    const repaired = await cluster.up(rig.manifest);
    expect(repaired.steps.map(step => step.summary).join('; ')).toContain(old.name);
    const { members } = await rig.healthy();
    expect(members.find(member => member.name === old.name)).toMatchObject({ role: 'standby' });
    const { ledger, reads } = await load.finish(cluster);
    figures('machine of the primary killed', {
      'write gap ms': ledger.longestGapMs,
      'read gap ms': reads.longestGapMs,
      'write errors': errorsOf(ledger),
    });
    expect(ledger.longestGapMs).toBeLessThan(MACHINE_GAP_MS);
    expect(reads.longestGapMs, 'reads do not wait for the election').toBeLessThan(CRASH_GAP_MS);
  });

  /** The member stays listed, with the time of its loss, which does not move from look to look. */
  async function expectLost(name: string, killedAt: number): Promise<void> {
    const first = await eventually('a standby to be synchronous again', 20_000, async () => {
      const status = await cluster.status();
      return status.members.some(member => member.synchronous) ? status : undefined;
    });
    const lost = memberIn(first, name);
    expect(['lost', 'stopped']).toContain(lost.state);
    expect(first.verdict).toBe('degraded');
    expect(first.sentence).toMatch(/^degraded: 2 of 3 members/);
    expect(first.reasons.join('\n')).toContain(name);
    expect(first.reasons.join('\n')).toContain('2 of 3 voters');
    const since = Date.parse(lost.since ?? '');
    expect(since).toBeGreaterThanOrEqual(killedAt - 1000);
    expect(since).toBeLessThan(killedAt + 20_000);
    const second = memberIn(await cluster.status(), name);
    expect(second.since).toBe(lost.since);
  }
});

function memberIn({ members }: StatusDocument, name: string) {
  const found = members.find(member => member.name === name);
  if (found === undefined) throw new Error(`${name} vanished from status`);
  return found;
}
