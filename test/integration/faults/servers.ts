import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, WITHIN } from '../../support/poll.ts';
import { isAlive } from '../../support/processes.ts';
import type { Stage } from './stage.ts';

export function serverTests(stage: Stage): void {
  const named = (name: string) => stage.processes().filter(info => info.name === name);
  const down = (service: string) => existsSync(join(stage.cluster.root, 'services', service, 'down'));

  describe('servers', () => {
    it('that are killed are started again by runit', async () => {
      const before = named('haproxy');
      expect(before).not.toEqual([]);
      const injection = await stage.inject({ kind: 'kill-server', component: 'proxy' });
      await eventually('the old processes to be dead', WITHIN.exit, () => !before.some(isAlive));
      await eventually('new ones', WITHIN.notice, () => named('haproxy').length === before.length);
      await injection.undo(stage.soon());
      await stage.whole();
    });

    it('that are held down stay down, up does not fight for them, and the undo starts them', async () => {
      const injection = await stage.inject({ kind: 'hold-down', components: ['proxy', 'pooler-0'] });
      expect([...named('haproxy'), ...named('pgbouncer')]).toEqual([]);
      // runit waits a second before it starts a server again.
      await delay(2500);
      expect([...named('haproxy'), ...named('pgbouncer')]).toEqual([]);
      expect([down('proxy'), down('pooler-0')]).toEqual([true, true]);

      const status = await stage.cluster.status();
      expect(status.verdict).toBe('degraded');
      expect(status.reasons).toContain(`a drill is under way: ${injection.description}`);
      const refused = await stage.cluster.sandbox.failure(['up', stage.file]);
      expect(refused).toMatchObject({ exitCode: 2, error: { code: 'drill-running' } });
      expect(refused.error.message).toContain(injection.description);

      await injection.undo(stage.soon());
      await injection.undo(stage.soon());
      expect([down('proxy'), down('pooler-0')]).toEqual([false, false]);
      await stage.whole();
    });

    it('go on when the control plane and their supervisor are killed; the undo brings both back', async () => {
      const keeper = named('node').find(({ command }) => command.endsWith(' keeper'));
      const [tini] = named('tini');
      const servers = stage.cluster.servers().filter(line => /etcd|patroni|haproxy|pgbouncer/.test(line));
      const injection = await stage.inject({ kind: 'kill-control-plane' });
      expect(keeper && isAlive(keeper)).toBe(false);
      expect(tini && isAlive(tini)).toBe(false);
      await delay(1500);
      expect([...named('node'), ...named('tini')]).toEqual([]);
      await injection.undo(stage.soon());
      expect(named('tini')).toHaveLength(1);
      await stage.whole();
      expect(stage.cluster.servers()).toEqual(expect.arrayContaining(servers));
    });
  });
}
