/** Leases and quorum: a frozen Patroni, an etcd without majority, and a machine that loses its power. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { MemberDocument } from '../../src/cli/schema.ts';
import { eventually } from '../support/poll.ts';
import { kill, killAllOf, processesOf } from '../support/processes.ts';
import { errorsOf, expectKept } from './support/load.ts';
import { aStandby, faults, figures, LOGIN, thePrimary } from './support/rig.ts';
import { DirectWriter, overlap } from './support/sampler.ts';
import { control, serverOf } from './support/servers.ts';

/** ttl is 20 s; the election follows. */
const LEASE_GONE_MS = 45_000;

faults('leases and quorum', 'faults-dcs', rig => {
  const { cluster } = rig;

  it("the primary's Patroni is frozen for longer than ttl: one primary in the end, no acknowledged row lost", async () => {
    const before = await cluster.status();
    const old = thePrimary(before);
    const heir = aStandby(before, { synchronous: true });
    const direct = { old: await writeTo(old), heir: await writeTo(heir) };
    const load = await rig.load();
    const patroni = await serverOf(cluster, old.name);
    kill(patroni, 'SIGSTOP');
    const stopped = performance.now();
    let primary: MemberDocument;
    let electedMs: number;
    try {
      primary = await elected(old);
      electedMs = performance.now() - stopped;
      await rig.leadsTo('pooler', primary);
      expect(primary.name, 'only the synchronous standby may take over').toBe(heir.name);
      // Both have the chance to acknowledge something now.
      const { length } = direct.heir.acknowledged;
      await eventually('direct writes to the new primary', 20_000, () => {
        return direct.heir.acknowledged.length > length + 5;
      });
      await delay(3000);
    } finally {
      kill(patroni, 'SIGCONT');
    }
    const status = await rig.healthy();
    expect(thePrimary(status).name).toBe(primary.name);
    await Promise.all([direct.old.stop(), direct.heir.stop()]);
    const { ledger } = await load.finish(cluster);
    const acknowledged = [direct.old, direct.heir].map(writer => writer.acknowledged);
    const [byOld = [], byHeir = []] = acknowledged.map(list => list.map(({ at }) => at));
    figures('Patroni of the primary frozen', {
      'new primary after ms': electedMs,
      'write gap ms': ledger.longestGapMs,
      'both said primary for ms': overlap(direct.old.claims, direct.heir.claims),
      'both acknowledged for ms': overlap(byOld, byHeir),
      'acknowledged directly': `${byOld.length} by the old, ${byHeir.length} by the new`,
      'write errors': errorsOf(ledger),
    });
    const ids = acknowledged.map(list => ({ acknowledged: list.map(({ id }) => id), failed: [] }));
    await expectKept(cluster, ids);
  });

  it('two of three voters are down for ten seconds: never called healthy, whole again afterwards', async () => {
    const load = await rig.load();
    const victims = ['etcd-1', 'etcd-2'];
    await Promise.all(victims.map(voter => control(cluster, voter, 'd')));
    const said: string[] = [];
    try {
      const until = performance.now() + 10_000;
      await eventually('the voters to be down', 10_000, async () => {
        const { dcs } = await cluster.status();
        return dcs?.healthyVoters === undefined || dcs.healthyVoters < 2;
      });
      do {
        const { verdict, reasons } = await cluster.status();
        said.push(`${verdict}: ${reasons.join('; ')}`);
        await delay(200);
      } while (performance.now() < until);
    } finally {
      await Promise.all(victims.map(voter => control(cluster, voter, 'u')));
    }
    const back = performance.now();
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter(text => !/^(degraded|down): .*DCS has no quorum/.test(text))).toEqual([]);
    await rig.healthy();
    const healthyMs = performance.now() - back;
    const { ledger, reads } = await load.finish(cluster);
    figures('etcd without quorum for 10 s', {
      'healthy after quorum returned ms': healthyMs,
      'write gap ms': ledger.longestGapMs,
      'read gap ms': reads.longestGapMs,
      'write errors': errorsOf(ledger),
    });
  });

  it('power is lost: up brings everything back by itself, no acknowledged row lost', async () => {
    const load = await rig.load({ workers: 8, everyMs: 1 });
    const { stateDir } = cluster.sandbox;
    const killed = killAllOf(stateDir);
    expect(killed.length).toBeGreaterThan(20);
    expect(processesOf(stateDir)).toEqual([]);
    await load.stop();
    // What lies in /run is gone after a reboot.
    const run = join(stateDir, 'run');
    expect(existsSync(run)).toBe(true);
    rmSync(run, { recursive: true });

    const started = performance.now();
    const document = await cluster.up(rig.manifest);
    const upMs = performance.now() - started;
    expect(document.created).toBe(false);
    await rig.healthy();
    const ledger = await load.writer.stop();
    await expectKept(cluster, [ledger]);
    const again = await rig.load();
    await again.finish(cluster);
    figures('power lost', {
      'processes killed': killed.length,
      'up took ms': upMs,
      acknowledged: ledger.acknowledged.length,
      unknown: ledger.unknown.length,
    });
  });

  async function writeTo({ address, port }: MemberDocument): Promise<DirectWriter> {
    return rig.keep(new DirectWriter(await cluster.target({ host: address, port }, LOGIN), rig.ids()));
  }

  /** The old one still takes itself for the primary, so status may show two. */
  async function elected(old: MemberDocument): Promise<MemberDocument> {
    return await eventually('another primary', LEASE_GONE_MS, async () => {
      const { members } = await cluster.status();
      return members.find(({ role, name }) => role === 'primary' && name !== old.name);
    });
  }
});
