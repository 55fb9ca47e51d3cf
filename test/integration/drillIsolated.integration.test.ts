/** Drills that need members with networks of their own: an isolated primary, and what asynchronous replication loses. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { DrillDocument } from '../../src/cli/drill/schema.ts';
import type { EventsDocument } from '../../src/cli/schema.ts';
import { EtcdClient } from '../../src/engine/etcd/client.ts';
import { Cluster } from '../support/cluster.ts';
import { isolated } from '../support/isolated.ts';
import { manifest } from '../support/manifest.ts';
import { eventually, WITHIN } from '../support/poll.ts';

const soon = () => AbortSignal.timeout(10_000);
const POOLER = { enableConnectionPooler: true };

isolated('drills on isolated members', sandbox => {
  const cluster = new Cluster(sandbox, 'insel');
  const text = (spec: object) => manifest({ name: 'insel', instances: 3, spec: { ...POOLER, ...spec } });
  beforeAll(async () => {
    await cluster.up(sandbox.file('insel.yaml', text({})), ['--isolate', '--allow-drills']);
  });

  async function drill(fault: string) {
    const words = ['drill', 'insel', fault];
    const document = await sandbox.json<DrillDocument>(words, { exitCodes: [0, 1], timeoutMs: 175_000 });
    const [run] = document.drills[0]?.runs ?? [];
    if (run === undefined) throw new Error(`no run: ${JSON.stringify(document)}`);
    return { document, run };
  }

  it('C1: an isolated primary acknowledges nothing that is lost, and nothing beside the new one', async () => {
    await using waiting = await cluster.connect('pooler', { user: 'bauer', database: 'firmendaten' });
    const toldAt = waiting.rows('SELECT pg_sleep(300)').then(
      () => Number.POSITIVE_INFINITY,
      () => Date.now(),
    );
    const { document, run } = await drill('C1');
    // The network owes this client nothing: without us it would have heard no sooner than after the undo.
    expect(
      (await toldAt) - Date.parse(run.at),
      'ms until a client is told that its server is lost',
    ).toBeLessThan(15_000);
    expect(document.mode).toBe('sync');
    expect(run.injections).toEqual([expect.stringMatching(/every packet between insel-\d and anybody/)]);
    expect(run).toMatchObject({ weaker: [], lost: 0, dualAcknowledged: 0, phantom: 0, duplicate: 0 });
    expect(run.acknowledged).toBeGreaterThan(50);
    expect(run.wholeAfterMs, run.notes.join('\n')).not.toBeNull();
    const events = run.timeline.map(({ event }) => event);
    expect(events).toEqual(expect.arrayContaining(['injected', 'fenced', 'promoted', 'undone', 'whole']));
  });

  it.each([
    ['C4', 'whom nobody hears', /every outgoing packet between insel-\d and anybody/],
    ['B1', 'whose host is lost', /interface of insel-\d's host is down, and SIGKILL to all/],
  ])('%s: the sentinel replaces a primary %s, and nothing is lost', async (fault, _, injection) => {
    const { run } = await drill(fault);
    expect(run.injections).toEqual([expect.stringMatching(injection)]);
    expect(run).toMatchObject({ lost: 0, dualAcknowledged: 0, phantom: 0, duplicate: 0 });
    expect(run.acknowledged).toBeGreaterThan(50);
    expect(run.wholeAfterMs, run.notes.join('\n')).not.toBeNull();
    const promoted = run.timeline.find(({ event }) => event === 'promoted');
    // Patroni alone would wait for the end of the lease, 20 s.
    expect(promoted?.afterMs, 'ms until another member is primary').toBeLessThan(10_000);
    const { events } = await sandbox.json<EventsDocument>(['events', 'insel']);
    const revoked = events.find(({ at, event }) => at >= run.at && event === 'sentinel-revoke');
    expect(run.injections[0]).toContain(revoked?.subject);
    expect(revoked?.message).not.toContain('nothing was deleted');
  });

  it('whoever shares the host of the primary does not lead the voters for long', async () => {
    const { members } = await cluster.status();
    const beside = members.findIndex(({ role }) => role === 'primary');
    const { cert, key } = cluster.certificate;
    const identity = { ca: String(cluster.ca), cert: String(cert), key: String(key) };
    const voters = members.map(({ address }) => new EtcdClient(address, identity));
    const leads = async () => {
      const found = await Promise.all(voters.map(voter => voter.leadership(soon())));
      return found.findIndex(({ id, leader }) => id === leader);
    };
    try {
      const own = voters[beside];
      const leader = await leads();
      if (own === undefined) throw new Error('nobody is primary');
      if (leader !== beside) await voters[leader]?.moveLeadership((await own.leadership(soon())).id, soon());
      expect(await leads()).toBe(beside);
      await eventually('another voter to lead', WITHIN.streaming, async () => (await leads()) !== beside);
      const { events } = await sandbox.json<EventsDocument>(['events', 'insel']);
      expect(events.findLast(({ event }) => event === 'healed')?.message).toMatch(
        /lead the voters instead of/,
      );
    } finally {
      for (const voter of voters) voter[Symbol.dispose]();
    }
  });

  it('E2: a primary whose disk hangs is replaced, which Patroni alone does not notice', async () => {
    const { run } = await drill('E2');
    expect(run.injections).toEqual([expect.stringMatching(/no write to the volume of insel-\d ends/)]);
    expect(run).toMatchObject({ weaker: [], lost: 0, dualAcknowledged: 0, phantom: 0, duplicate: 0 });
    expect(run.timeline.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['promoted', 'undone', 'whole']),
    );
    const { events } = await sandbox.json<EventsDocument>(['events', 'insel']);
    const fence = events.findLast(({ event }) => event === 'sentinel-fence');
    expect(fence?.message).toMatch(/a commit on insel-\d that waits for no standby has not ended/);
  });

  describe('without synchronous replication', () => {
    beforeAll(async () => {
      const patroni = { synchronous_mode: false };
      await cluster.up(sandbox.file('insel-async.yaml', text({ patroni })));
    });

    // The checker must find a real loss: here one is certain, because a cut primary goes on acknowledging.
    it('C1L: the loss of what the cut primary acknowledged is found', async () => {
      const { document, run } = await drill('C1L');
      expect(document.mode).toBe('async');
      expect(run.lost).toBeGreaterThan(0);
      expect(run.lostSeconds).toBeGreaterThan(0);
      expect(run.phantom).toBe(0);
    });
  });
});
