import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BackupsDocument } from '../../../src/cli/backups/schema.ts';
import type { MoveDocument } from '../../../src/cli/schema.ts';
import { WITHIN } from '../../support/poll.ts';
import { processesOf } from '../../support/processes.ts';
import { audit, prepareLedger, Writer } from '../../support/writer.ts';
import type { Editable } from '../change.integration.test.ts';

const LOGIN = { user: 'bauer', database: 'firmendaten' };

export function scaleTests({ sandbox, cluster, edited }: Editable): void {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `wandel-${n}`);

  describe('the number of instances', () => {
    it('grows to five while clients write, and all five stream', async () => {
      const target = await cluster.target('pooler', LOGIN);
      await prepareLedger(target);
      const writer = new Writer(target);
      const before = cluster.servers();
      await cluster.up(edited({ instances: 5 }));
      const status = await cluster.whole(5);
      const ledger = await writer.stop();
      expect(status.members.map(member => member.name).sort()).toEqual(names(5));
      expect([...ledger.errors.keys()]).toEqual([]);
      expect(await audit(target, ledger)).toEqual({ lost: [], phantom: [] });
      // The proxy learns of new servers by a reload; nothing that was there is started again.
      const kept = before.filter(server => !/haproxy/.test(server));
      expect(cluster.servers()).toEqual(expect.arrayContaining(kept));
    });

    it('shrinks to two: a primary among those that go is moved first, and no acknowledged row is lost', async () => {
      await sandbox.json<MoveDocument>(['failover', cluster.name, '--to', 'wandel-4', '--accept-loss']);
      await cluster.whole(5);
      const file = edited({ instances: 2 });
      const target = await cluster.target('pooler', LOGIN);
      const writer = new Writer(target, { workers: 3 }, 1_000_000);
      const plan = await cluster.plan(file);
      const { steps } = await cluster.up(file, [], { timeoutMs: 2 * WITHIN.command });
      const status = await cluster.whole(2);
      const ledger = await writer.stop();
      const kinds = (list: typeof steps) => list.map(step => step.kind);
      expect(kinds(plan.steps)).toContain('switchover');
      expect(kinds(steps).indexOf('switchover')).toBeLessThan(
        steps.findIndex(step => step.kind === 'remove' && step.summary.includes('wandel-4')),
      );
      expect(status).toMatchObject({ verdict: 'healthy' });
      expect(status.members.map(member => member.name).sort()).toEqual(names(2));
      expect(ledger.acknowledged.length).toBeGreaterThan(50);
      expect(await audit(target, ledger)).toEqual({ lost: [], phantom: [] });
    });

    it('leaves nothing of the removed members behind but their data, set aside', async () => {
      const { members } = await cluster.status();
      for (const member of members) {
        await using sql = await cluster.connectMember(member);
        const slots = (await sql.rows('SELECT slot_name FROM pg_replication_slots')).map(
          row => row.slot_name,
        );
        const known = names(2).map(name => name.replaceAll('-', '_'));
        expect(slots.filter(slot => !known.includes(String(slot)))).toEqual([]);
        const view = (await cluster.patroni(member, '/cluster')) as { members: { name: string }[] };
        expect(view.members.map(entry => entry.name).sort()).toEqual(names(2));
      }
      expect(processesOf(cluster.root).filter(({ command }) => /wandel-[234]\b/.test(command))).toEqual([]);
      for (const part of ['data', 'services', 'conf']) {
        const left = readdirSync(join(cluster.root, part)).filter(name => /wandel-[234]$/.test(name));
        expect(left, part).toEqual([]);
      }
      const aside = readdirSync(join(cluster.root, 'aside'));
      for (const name of ['wandel-2', 'wandel-3', 'wandel-4']) {
        const data = aside.filter(entry => entry.startsWith(`${name}.`));
        expect(data).toHaveLength(1);
        expect(existsSync(join(cluster.root, 'aside', String(data[0]), 'pgdata', 'PG_VERSION'))).toBe(true);
      }
      const listed = await sandbox.json<BackupsDocument>(['backups', cluster.name], { exitCodes: [0, 2] });
      const copies = listed.aside.filter(({ why }) => why !== null);
      expect(copies.map(({ why }) => why)).toEqual(
        ['wandel-2', 'wandel-3', 'wandel-4'].map(name => `the copy of ${name}, which was removed`),
      );
      for (const { keepUntil } of copies) expect(Date.parse(keepUntil ?? '')).toBeGreaterThan(Date.now());
    });

    it('with synchronous_mode_strict a commit waits rather than being held by one server alone', async () => {
      await cluster.up(edited({ instances: 2, spec: { patroni: { synchronous_mode_strict: true } } }));
      const status = await cluster.whole(2);
      expect(status.promise.mode).toBe('strict');
      expect(await cluster.patroni(status.members[0], '/config')).toMatchObject({
        synchronous_mode: true,
        synchronous_mode_strict: true,
      });
      await using sql = await cluster.connect('primary');
      expect(await sql.value('SHOW synchronous_standby_names')).toMatch(/wandel|\*/);
      expect(await sql.value('SHOW synchronous_commit')).toBe('on');
    });
  });
}
