/** What Patroni alone does not notice, or not for 20 s: the sentinel does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { EventsDocument } from '../../src/cli/schema.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { isAlive } from '../support/processes.ts';
import { faults, LOGIN, thePrimary } from './support/rig.ts';
import { keeperOf, postmasterOf, serverOf } from './support/servers.ts';

const HOLD = join(import.meta.dirname, '..', 'support', 'hold.ts');
/** Generous: the sentinel does nothing while it is starved, and the tests' machine may be busy. */
const SOON_MS = 120_000;

faults('the sentinel', 'faults-sentinel', rig => {
  const { cluster } = rig;

  async function events(): Promise<EventsDocument['events']> {
    return (await cluster.sandbox.json<EventsDocument>(['events', cluster.name])).events;
  }

  /** What the sentinel did to a member since the journal had this many entries. */
  async function deeds(member: string, from: number): Promise<string[]> {
    return (await events())
      .slice(from)
      .filter(({ actor, subject }) => actor === 'sentinel' && subject === member)
      .map(({ event }) => event);
  }

  it('a PostgreSQL that lets nobody in is killed on its host and replaced; nothing acknowledged is lost', async () => {
    const old = thePrimary(await cluster.status());
    const before = (await events()).length;
    const load = await rig.load();
    const postmaster = await postmasterOf(cluster, old.name);
    process.kill(postmaster.pid, 'SIGSTOP');
    try {
      await rig.newPrimary(old, SOON_MS);
    } finally {
      if (isAlive(postmaster)) process.kill(postmaster.pid, 'SIGCONT');
    }
    await load.goesOn();
    await rig.healthy();
    expect(await deeds(old.name, before)).toEqual(
      expect.arrayContaining(['sentinel-fence', 'sentinel-revoke']),
    );
    await load.finish(cluster);
  });

  it('a primary whose Patroni hangs is fenced before its lease ends', async () => {
    // The last one took part in a failover less than 30 s ago: the sentinel never acts twice within that.
    await eventually('the cool-down to end', 40_000, async () => {
      const last = (await events()).findLast(({ event }) => /^sentinel-(revoke|fence)$/.test(event));
      return last === undefined || Date.now() - Date.parse(last.at) > 31_000;
    });
    const old = thePrimary(await cluster.status());
    const before = (await events()).length;
    const load = await rig.load();
    const postmaster = await postmasterOf(cluster, old.name);
    const patroni = await serverOf(cluster, old.name);
    process.kill(patroni.pid, 'SIGSTOP');
    try {
      await rig.newPrimary(old, SOON_MS);
      expect(isAlive(postmaster), 'the old PostgreSQL does not live beside the new primary').toBe(false);
    } finally {
      process.kill(patroni.pid, 'SIGCONT');
    }
    await load.goesOn();
    await rig.healthy();
    expect(await deeds(old.name, before)).toContain('sentinel-fence');
    await load.finish(cluster);
  });

  it('a primary that was superseded while nobody watched is killed afterwards', async () => {
    const old = thePrimary(await cluster.status());
    const before = (await events()).length;
    const postmaster = await postmasterOf(cluster, old.name);
    const [patroni, keeper] = [await serverOf(cluster, old.name), await keeperOf(cluster)];
    process.kill(keeper.pid, 'SIGSTOP');
    try {
      process.kill(patroni.pid, 'SIGSTOP');
      // Nobody but the lease replaces it now.
      await rig.newPrimary(old, SOON_MS);
      expect(isAlive(postmaster), 'the old PostgreSQL lives on').toBe(true);
      process.kill(keeper.pid, 'SIGCONT');
      await eventually('the old PostgreSQL to be killed', SOON_MS, () => !isAlive(postmaster));
    } finally {
      process.kill(keeper.pid, 'SIGCONT');
      process.kill(patroni.pid, 'SIGCONT');
    }
    await rig.healthy();
    const fence = (await events()).slice(before).find(({ event }) => event === 'sentinel-fence');
    expect(fence?.message).toMatch(/beside a silent Patroni, although .* holds the key/);
  });

  it.each([
    ['soon after whoever asked for it is killed', 'SIGKILL', 60_000, 0],
    ['at its limit where whoever asked for it hangs', 'SIGSTOP', 6_000, 3_000],
  ] as const)('a pause ends by itself %s', async (_, signal, limitMs, atLeastMs) => {
    await using sql = await cluster.connect('pooler', LOGIN);
    const holder = spawn(process.execPath, [HOLD, cluster.sandbox.stateDir, cluster.name, String(limitMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [said] = await once(holder.stdout, 'data');
      expect(String(said)).toBe('held\n');
      let answeredAt: number | undefined;
      const answer = sql.value('SELECT 1').finally(() => {
        answeredAt = performance.now();
      });
      await delay(1_000);
      expect(answeredAt, 'the pool is paused while the holder lives').toBeUndefined();
      await expect(cluster.connect('primary', LOGIN), 'who comes anew is turned away').rejects.toThrow();
      const since = performance.now();
      holder.kill(signal);
      expect(await answer).toBe(1);
      const heldMs = (answeredAt ?? Number.NaN) - since;
      expect(heldMs).toBeGreaterThanOrEqual(atLeastMs);
      expect(heldMs).toBeLessThan(10_000);
      await eventually('the proxy to let sessions in again', WITHIN.notice, async () => {
        await using direct = await cluster.connect('primary', LOGIN);
        return (await direct.value('SELECT 1')) === 1;
      });
    } finally {
      holder.kill('SIGKILL');
    }
  });

  it('leaves a healthy primary alone while it is killed itself, and a switchover to whoever asked for it', async () => {
    const before = (await events()).length;
    const { timeline } = thePrimary(await cluster.status());
    const load = await rig.load();
    process.kill((await keeperOf(cluster)).pid, 'SIGKILL');
    await load.goesOn();
    await cluster.sandbox.json(['switchover', cluster.name]);
    await load.goesOn();
    const status = await rig.healthy();
    expect(thePrimary(status).timeline).toBe((timeline ?? 0) + 1);
    const acts = (await events()).slice(before).map(({ event }) => event);
    expect(acts.filter(event => event === 'sentinel-revoke' || event === 'sentinel-fence')).toEqual([]);
    await load.finish(cluster);
  });
});
