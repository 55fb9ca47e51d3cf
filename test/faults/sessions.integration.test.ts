/** Where sessions end up: never on a primary that is none any more, never on a standby that is behind or dead. */
import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import type { MemberDocument, MoveDocument } from '../../src/cli/schema.ts';
import type { ProcessId } from '../../src/lib/process.ts';
import type { Cluster, EndpointKey } from '../support/cluster.ts';
import { eventually } from '../support/poll.ts';
import { kill, type ProcessInfo } from '../support/processes.ts';
import type { Sql } from '../support/sql.ts';
import { Writer } from '../support/writer.ts';
import { errorsOf, expectKept, Probe, WHO, writesGoOn } from './support/load.ts';
import { aStandby, faults, figures, LOGIN, type Rig, thePrimary } from './support/rig.ts';
import { childrenOf, killMachine, postmasterOf } from './support/servers.ts';

const READ_ONLY = '25006';
const MEGABYTE = 1024 * 1024;

const spec = { patroni: { maximum_lag_on_failover: MEGABYTE } };

faults(
  'sessions follow the roles',
  'faults-sessions',
  rig => {
    const { cluster } = rig;

    it('a switchover under load leaves nobody on the demoted primary, and nobody meets a read-only one', async () => {
      const old = thePrimary(await cluster.status());
      const idle = await open(rig, { primary: 6, pooler: 6 });
      await using inTransaction = await cluster.connect('primary', LOGIN);
      await inTransaction.rows('BEGIN');
      await inTransaction.rows('INSERT INTO ledger (id) VALUES (-5)');
      const active = await activeThrough(rig, ['primary', 'pooler']);
      const fresh = rig.keep(new Probe(await cluster.target('primary', LOGIN), { fresh: true }));

      const words = ['switchover', cluster.name];
      const moved = await cluster.sandbox.json<MoveDocument>(words);
      const returned = performance.now();
      expect(moved.to).not.toBe(old.name);

      // Both in the first moment and later on.
      const survivors: Record<string, number> = {};
      for (const round of ['at once', 'later']) {
        for (const { endpoint, sql } of idle) {
          const where = await whereIs(sql);
          if (where === undefined) continue;
          survivors[`${endpoint} ${round}`] = (survivors[`${endpoint} ${round}`] ?? 0) + 1;
          expect(where, `idle session through ${endpoint}`).toEqual({
            server: expect.not.stringMatching(`^${old.address}$`),
            recovering: false,
          });
        }
        for (const { writer } of active) await writesGoOn(writer);
      }
      expect(survivors['pooler later'], "a pooler's clients keep their connection").toBe(6);
      await expect(inTransaction.rows('COMMIT'), 'it was cut').rejects.toThrow();

      const status = await rig.healthy();
      await fresh.stop();
      const ledgers = await Promise.all(active.map(({ writer }) => writer.stop()));
      await Promise.all(idle.map(({ sql }) => sql[Symbol.asyncDispose]()));
      expect(thePrimary(status).name).toBe(moved.to);
      expect(thePrimary(status).timeline).toBe((old.timeline ?? 0) + 1);
      const late = fresh.outcomes.filter(({ at, ok }) => ok && at > returned + 500);
      expect(late.length).toBeGreaterThan(0);
      expect(late.filter(({ recovering }) => recovering === true)).toEqual([]);
      for (const { writer, endpoint, inserts } of active) {
        await inserts.stop();
        const ledger = await writer.stop();
        const readOnly = inserts.failed.filter(({ code }) => code === READ_ONLY);
        const afterwards = readOnly.filter(({ at }) => at > returned);
        figures(`switchover, writer through ${endpoint}`, {
          'write gap ms': ledger.longestGapMs,
          'read-only errors before it returned': readOnly.length - afterwards.length,
          'and after': afterwards.length,
          errors: errorsOf(ledger),
          'seconds of the command': moved.seconds.toFixed(1),
        });
        expect(afterwards, `read-only errors through ${endpoint}`).toEqual([]);
        expect(inserts.outcomes.some(({ at, ok }) => ok && at > returned)).toBe(true);
        expect(ledger.longestGapMs).toBeLessThan(15_000);
      }
      await expectKept(cluster, ledgers);
    });

    it('reads go on while a standby is dead, from the one that lives', async () => {
      const status = await cluster.status();
      const dead = aStandby(status, { synchronous: false });
      const alive = aStandby(status, { synchronous: true });
      await servedBy(rig, [dead, alive]);
      const load = await rig.load();
      const fresh = rig.keep(new Probe(await cluster.target('standby', LOGIN), { fresh: true }));
      await killMachine(cluster, dead.name);
      const killed = performance.now();
      await servedBy(rig, [alive]);
      const settledMs = performance.now() - killed;
      const asked = fresh.outcomes.length;
      await eventually('twenty more reads', 20_000, () => fresh.outcomes.length > asked + 20);
      await fresh.stop();
      const later = fresh.outcomes.slice(asked);
      expect(later.filter(({ ok }) => !ok)).toEqual([]);
      expect([...new Set(later.map(({ server }) => server))]).toEqual([alive.address]);

      await cluster.up(rig.manifest);
      await rig.healthy();
      await servedBy(rig, [dead, alive]);
      const { ledger, reads } = await load.finish(cluster);
      figures('standby dead', {
        'endpoint settled after ms': settledMs,
        'read gap ms, new connections': fresh.longestGapMs,
        'read gap ms, pooler': reads.longestGapMs,
        'read errors, pooler': reads.failed.length,
        'write gap ms': ledger.longestGapMs,
      });
      expect(reads.longestGapMs).toBeLessThan(10_000);
    });

    it('a standby that is too far behind gets no reads until it has caught up', async () => {
      const status = await cluster.status();
      const slow = aStandby(status, { synchronous: false });
      const other = aStandby(status, { synchronous: true });
      await servedBy(rig, [slow, other]);
      // Patroni would resume a replay that was paused by its function.
      const replay = startupOf(cluster, await postmasterOf(cluster, slow.name));
      await using writer = await cluster.connect('primary', LOGIN);
      const pooled = rig.keep(new Probe(await cluster.target('poolerStandby', LOGIN)));
      kill(replay, 'SIGSTOP');
      try {
        await writer.rows('CREATE TABLE IF NOT EXISTS ballast (text text)');
        // Text that does not compress: 3 MB of WAL at least.
        await writer.rows(
          "INSERT INTO ballast SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 100000) n GROUP BY n % 1000",
        );
        await servedBy(rig, [other]);
        const before = pooled.outcomes.length;
        await eventually('reads through the pooler', 20_000, () => pooled.outcomes.length > before + 20);
        const servers = new Set(pooled.outcomes.slice(before).map(({ server }) => server));
        expect([...servers]).toEqual([other.address]);
        const degraded = await cluster.status();
        expect(degraded.verdict).toBe('degraded');
        expect(degraded.reasons.join('\n')).toContain(slow.name);
      } finally {
        kill(replay, 'SIGCONT');
        await pooled.stop();
      }
      await rig.healthy();
      await servedBy(rig, [slow, other]);
    });
  },
  spec,
);

/** The process that replays WAL. */
function startupOf(cluster: Cluster, postmaster: ProcessId): ProcessInfo {
  const found = childrenOf(cluster, postmaster).find(({ command }) => command.includes('startup'));
  if (found === undefined) throw new Error('nothing replays');
  return found;
}

/** Opens sessions and proves that each works. */
async function open(
  { cluster }: Rig,
  counts: Partial<Record<EndpointKey, number>>,
): Promise<{ endpoint: string; sql: Sql }[]> {
  const endpoints = Object.entries(counts).flatMap(([endpoint, count]) =>
    Array.from({ length: count }, () => endpoint as EndpointKey),
  );
  return await Promise.all(
    endpoints.map(async endpoint => {
      const sql = await cluster.connect(endpoint, LOGIN);
      await sql.rows('SELECT 1');
      return { endpoint, sql };
    }),
  );
}

/** undefined for a session that was cut. */
async function whereIs(sql: Sql): Promise<{ server: string; recovering: boolean } | undefined> {
  try {
    const [row] = await sql.rows(`SELECT ${WHO}`);
    return { server: String(row?.server), recovering: row?.recovering === true };
  } catch {
    return undefined;
  }
}

/** Waits until new connections to the standby endpoint meet these servers and no other. */
async function servedBy(rig: Rig, members: MemberDocument[]): Promise<void> {
  const wanted = members.map(member => member.address).sort();
  await eventually(`reads to be served by ${wanted.join(' and ')}`, 30_000, async () => {
    // Held together: the proxy prefers the server that has fewer, so one by one they may all meet the same.
    const sessions = await open(rig, { standby: 24 });
    const places = await Promise.all(sessions.map(({ sql }) => whereIs(sql)));
    await Promise.all(sessions.map(({ sql }) => sql[Symbol.asyncDispose]()));
    const seen = [...new Set(places.map(place => String(place?.server)))].sort();
    if (seen.join() !== wanted.join()) throw new Error(`served by ${seen.join()}`);
    return true;
  });
}

interface Active {
  endpoint: EndpointKey;
  writer: Writer;
  /** Writes as well, and knows when it met what. */
  inserts: Probe;
}

async function activeThrough(rig: Rig, endpoints: EndpointKey[]): Promise<Active[]> {
  const all = await Promise.all(
    endpoints.map(async endpoint => {
      const target = await rig.cluster.target(endpoint, LOGIN);
      const writer = rig.keep(new Writer(target, { workers: 4 }, rig.ids()));
      let id = rig.ids();
      const text = () => `INSERT INTO ledger (id) VALUES (${id++}) RETURNING ${WHO}`;
      return { endpoint, writer, inserts: rig.keep(new Probe(target, { text })) };
    }),
  );
  for (const { writer } of all) await writesGoOn(writer);
  return all;
}
