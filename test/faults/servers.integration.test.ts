/** Any single server killed comes back by itself, and whoever does not need it notices nothing. */
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import type { ProcessId } from '../../src/lib/process.ts';
import { isAlive, type ProcessInfo } from '../support/processes.ts';
import { audit } from '../support/writer.ts';
import { errorsOf, type LoadResult, Probe } from './support/load.ts';
import { aStandby, faults, figures, LOGIN, thePrimary, voterOf } from './support/rig.ts';
import { childrenOf, postmasterOf, replaced, runsvOf, serverOf, strike } from './support/servers.ts';

/** runit waits a second at most; the rest is for a busy machine. */
const BACK_MS = 15_000;

faults('a server killed with -9', 'faults-servers', rig => {
  const { cluster } = rig;

  interface Blow {
    victim: ProcessId;
    /** Who stands in its place afterwards. */
    again: () => Promise<ProcessId>;
    /** Looks at the cluster before the load ends. */
    meanwhile?: () => Promise<void>;
  }

  /** Kills one process under load; returns what writers and readers saw until all was well again. */
  async function kill(title: string, { victim, again, meanwhile }: Blow): Promise<LoadResult> {
    const load = await rig.load();
    strike(victim);
    const killed = performance.now();
    await replaced(title, victim, again, BACK_MS);
    const backMs = performance.now() - killed;
    await meanwhile?.();
    await rig.healthy();
    const healthyMs = performance.now() - killed;
    const result = await load.finish(cluster);
    figures(title, {
      'back after ms': backMs,
      'status healthy after ms': healthyMs,
      'write gap ms': result.ledger.longestGapMs,
      'read gap ms': result.reads.longestGapMs,
      'read errors': result.reads.failed.length,
      'write errors': errorsOf(result.ledger),
    });
    return result;
  }

  const service = async (name: string): Promise<Blow> => {
    const again = () => serverOf(cluster, name);
    return { victim: await again(), again };
  };

  const nothingFailed = ({ ledger, reads }: LoadResult) => {
    expect({ writes: [...ledger.errors.keys()], reads: reads.failed }).toEqual({ writes: [], reads: [] });
  };

  it('is found lost by the checker itself when one is planted', async () => {
    const target = await cluster.target('primary', LOGIN);
    const ledger = { acknowledged: [-1], failed: [], unknown: [], errors: new Map(), longestGapMs: 0 };
    expect((await audit(target, ledger)).lost).toEqual([-1]);
  });

  it('etcd beside the primary: no query fails, no failover', async () => {
    const before = thePrimary(await cluster.status());
    nothingFailed(await kill('etcd voter', await service(voterOf(before))));
    const { name, timeline } = thePrimary(await cluster.status());
    expect({ name, timeline }).toEqual({ name: before.name, timeline: before.timeline });
  });

  describe.for(['standby', 'primary'] as const)('Patroni of a %s', role => {
    it('comes back and finds its PostgreSQL running; no query fails, no failover', async () => {
      const before = await cluster.status();
      const member = role === 'primary' ? thePrimary(before) : aStandby(before, { synchronous: true });
      const postmaster = await postmasterOf(cluster, member.name);
      nothingFailed(await kill(`Patroni of the ${role}`, await service(member.name)));
      expect(isAlive(postmaster), 'PostgreSQL keeps running').toBe(true);
      const { name, timeline } = thePrimary(await cluster.status());
      expect(name).toBe(thePrimary(before).name);
      expect(timeline).toBe(thePrimary(before).timeline);
    });
  });

  it('HAProxy, the master: writes through the pooler go on', async () => {
    const { ledger } = await kill('HAProxy master', await service('proxy'));
    expect([...ledger.errors.keys()]).toEqual([]);
  });

  it('HAProxy, the worker: writes through the pooler go on', async () => {
    const worker = async (): Promise<ProcessInfo> => {
      const [child] = childrenOf(cluster, await serverOf(cluster, 'proxy'));
      if (child === undefined) throw new Error('HAProxy has no worker');
      return child;
    };
    const { ledger } = await kill('HAProxy worker', { victim: await worker(), again: worker });
    expect([...ledger.errors.keys()]).toEqual([]);
  });

  it('one PgBouncer: the other paths do not notice', async () => {
    const direct = rig.keep(new Probe(await cluster.target('primary', LOGIN)));
    const { reads } = await kill('PgBouncer', await service('pooler-0'));
    expect(reads.failed).toEqual([]);
    expect(direct.failed).toEqual([]);
    expect(direct.answered).toBeGreaterThan(10);
  });

  it('one standby PgBouncer: no write fails', async () => {
    const { ledger } = await kill('standby PgBouncer', await service('pooler-standby-0'));
    expect([...ledger.errors.keys()]).toEqual([]);
  });

  it('svlogd of the primary: nobody waits for a log', async () => {
    const { name } = thePrimary(await cluster.status());
    nothingFailed(await kill('svlogd', await service(`${name}/log`)));
  });

  describe.for(['primary', 'proxy', 'etcd-2'])('runsv of %s', which => {
    it('is replaced, the server lives on, and its later death is healed', async () => {
      const name = which === 'primary' ? thePrimary(await cluster.status()).name : which;
      const server = await serverOf(cluster, name);
      const runsv = async () => runsvOf(cluster, name);
      const result = await kill(`runsv of ${which}`, { victim: await runsv(), again: runsv });
      nothingFailed(result);
      expect(isAlive(server), 'the server lives on').toBe(true);
      strike(server);
      await replaced(which, server, () => serverOf(cluster, name), BACK_MS);
      await rig.healthy();
    });
  });

  it('a backend of the primary: PostgreSQL recovers in place or fails over', async () => {
    await using sql = await cluster.connect('primary', LOGIN);
    const backend = await sql.value<number>('SELECT pg_backend_pid()');
    const children = childrenOf(
      cluster,
      await postmasterOf(cluster, thePrimary(await cluster.status()).name),
    );
    const victim = children.find(({ pid }) => pid === backend);
    if (victim === undefined) throw new Error(`${backend} is no child of the primary`);
    const before = thePrimary(await cluster.status());
    const load = await rig.load();
    strike(victim);
    await load.goesOn();
    const after = thePrimary(await rig.healthy());
    const { ledger } = await load.finish(cluster);
    expect(ledger.longestGapMs).toBeLessThan(BACK_MS);
    figures('backend', {
      'write gap ms': ledger.longestGapMs,
      primary: after.name === before.name ? 'stayed' : 'moved',
      'write errors': errorsOf(ledger),
    });
  });

  it("a synchronous standby's postmaster comes back; writes and reads go on", async () => {
    const { name } = aStandby(await cluster.status(), { synchronous: true });
    const again = () => postmasterOf(cluster, name);
    const { ledger, reads } = await kill('postmaster of a standby', { victim: await again(), again });
    expect([...ledger.errors.keys()], 'a commit waits, but does not fail').toEqual([]);
    expect(ledger.longestGapMs).toBeLessThan(BACK_MS);
    expect(reads.longestGapMs).toBeLessThan(BACK_MS);
  });
});
