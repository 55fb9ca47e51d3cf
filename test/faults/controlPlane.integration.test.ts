/** The control plane and the supervisor die: no query notices, and what they did is taken up again. */
import { describe, expect, it } from 'vitest';
import type { EventsDocument } from '../../src/cli/schema.ts';
import type { ProcessId } from '../../src/lib/process.ts';
import { eventually } from '../support/poll.ts';
import { isAlive, kill, type ProcessInfo, processesOf, serversOf } from '../support/processes.ts';
import { Sql } from '../support/sql.ts';
import { errorsOf } from './support/load.ts';
import { faults, figures, LOGIN, thePrimary } from './support/rig.ts';
import {
  childrenOf,
  keeperOf,
  postmasterOf,
  replaced,
  runsvOf,
  serverOf,
  strike,
  supervisorOf,
} from './support/servers.ts';

const BUSY = { workers: 8, everyMs: 1 };

faults('what watches over the servers dies', 'faults-control', rig => {
  const { cluster } = rig;

  describe('the control plane, killed with -9 under load', () => {
    it('is started again and adopts every server; no query fails, no session is lost', async () => {
      const before = dataPath();
      const load = await rig.load(BUSY);
      await using session = await Sql.open(await cluster.target('primary', LOGIN));
      const backend = await session.value('SELECT pg_backend_pid()');
      for (let blows = 0; blows < 3; blows += 1) {
        const keeper = await keeperOf(cluster);
        strike(keeper);
        await replaced('the control plane', keeper, () => keeperOf(cluster));
      }
      await rig.healthy();
      const { ledger, reads } = await load.finish(cluster);
      expect({ writes: [...ledger.errors.keys()], reads: reads.failed }).toEqual({ writes: [], reads: [] });
      expect(await session.value('SELECT pg_backend_pid()')).toBe(backend);
      expect(dataPath()).toEqual(before);
      figures('control plane killed three times', {
        writes: ledger.acknowledged.length,
        'write gap ms': ledger.longestGapMs,
        'write errors': errorsOf(ledger),
      });
    });

    it('goes on with the journal', async () => {
      const { events: old } = await events();
      // It has to have looked once to see a change.
      await eventually('a server killed now to be told of', 30_000, async () => {
        const victim = await serverOf(cluster, 'pooler-standby-0');
        strike(victim);
        await replaced('the pooler', victim, () => serverOf(cluster, 'pooler-standby-0'));
        return await eventually('an entry', 6000, async () => {
          const { events: now } = await events();
          return now.slice(old.length).some(({ event, actor, subject }) => {
            return event === 'server-restarted' && actor === 'keeper' && subject === 'pooler-standby-0';
          });
        }).catch(() => false);
      });
      const { events: now } = await events();
      expect(now.slice(0, old.length), 'what was written stays').toEqual(old);
    });
  });

  describe('the control plane stays dead', () => {
    it('a failover works all the same, the poolers follow, and up starts it again', async () => {
      const old = thePrimary(await cluster.status());
      const load = await rig.load();
      await killControlPlane();
      strike(await postmasterOf(cluster, old.name));
      const primary = await rig.newPrimary(old, 30_000);
      await Promise.all([rig.leadsTo('primary', primary), rig.leadsTo('pooler', primary)]);
      await load.goesOn();

      const status = await eventually('members to be well', 60_000, async () => {
        const found = await cluster.status();
        return found.members.filter(member => member.state === 'streaming').length === 2 ? found : undefined;
      });
      expect(status.controlPlane?.running).toBe(false);
      expect(status.verdict).toBe('degraded');
      expect(status.reasons.join('\n')).toContain('control plane');

      const { ledger } = await load.finish(cluster);
      const before = dataPath();
      await cluster.up(rig.manifest);
      expect((await rig.healthy()).controlPlane?.running).toBe(true);
      expect(dataPath(), 'up interrupts nothing').toEqual(before);
      expect(ledger.longestGapMs).toBeLessThan(15_000);
      figures('failover without control plane', {
        'write gap ms': ledger.longestGapMs,
        'write errors': errorsOf(ledger),
      });
    });
  });

  describe('tini and runsvdir, killed with -9', () => {
    it('leave the servers running, are started again, and deaths are healed as before', async () => {
      const { tini, runsvdir } = await supervisorOf(cluster);
      const before = dataPath();
      const load = await rig.load();
      strike(tini, runsvdir);
      const next = await eventually('a new supervisor', 20_000, async () => {
        const found = await supervisorOf(cluster);
        return found.tini.pid !== tini.pid ? found : undefined;
      });
      expect(next.runsvdir.pid).not.toBe(runsvdir.pid);
      await rig.healthy();
      expect(dataPath(), 'every server runs on').toEqual(before);
      const { ledger, reads } = await load.finish(cluster);
      expect({ writes: [...ledger.errors.keys()], reads: reads.failed }).toEqual({ writes: [], reads: [] });

      // Under the old runsv, whose runsvdir is dead, and under one that the new runsvdir has to start.
      await dies('proxy');
      const orphan = await serverOf(cluster, 'pooler-0');
      const runsv = runsvOf(cluster, 'pooler-0');
      strike(runsv);
      await replaced('runsv', runsv, async () => runsvOf(cluster, 'pooler-0'));
      await dies('pooler-0', orphan);
      await rig.healthy();
    });

    it('does not keep a failover from working afterwards', async () => {
      const old = thePrimary(await cluster.status());
      const load = await rig.load();
      strike(await postmasterOf(cluster, old.name));
      await rig.newPrimary(old, 30_000);
      await load.goesOn();
      await rig.healthy();
      const { ledger } = await load.finish(cluster);
      expect(ledger.longestGapMs).toBeLessThan(15_000);
      figures('failover below a restarted supervisor', { 'write gap ms': ledger.longestGapMs });
    });
  });

  async function dies(service: string, server?: ProcessId): Promise<void> {
    const victim = server ?? (await serverOf(cluster, service));
    strike(victim);
    await replaced(service, victim, () => serverOf(cluster, service), 15_000);
  }

  /** What queries depend on: the servers themselves, neither their supervisors nor the control plane. */
  function dataPath(): string[] {
    return serversOf(cluster.sandbox.stateDir)
      .filter(({ name }) => /^(etcd|python3|pgbouncer|haproxy)$/.test(name) || name === 'postgres')
      .filter(({ command }) => !command.startsWith('postgres: '))
      .map(({ pid, startTime, command }) => `${pid}/${startTime} ${command}`)
      .sort();
  }

  /** The control plane with all that would start it again: its runsvdir first, then runsv, then itself. */
  async function killControlPlane(): Promise<void> {
    const keeper = await keeperOf(cluster);
    const services = `${cluster.sandbox.stateDir}/services`;
    const all = processesOf(cluster.sandbox.stateDir);
    const runsvdir = all.filter(({ command }) => command === `runsvdir -P ${services}`);
    const runsv: ProcessInfo[] = runsvdir.flatMap(info => childrenOf(cluster, info));
    const rest = runsv.flatMap(info => childrenOf(cluster, info));
    expect(rest.map(({ pid }) => pid)).toContain(keeper.pid);
    for (const info of [...runsvdir, ...runsv, ...rest]) kill(info);
    await eventually('the control plane to be dead', 10_000, () => !isAlive(keeper));
  }

  async function events(): Promise<EventsDocument> {
    return await cluster.sandbox.json(['events', cluster.name]);
  }
});
