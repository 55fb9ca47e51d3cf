/** Each fault of this machine, injected into a real cluster, seen from outside, and undone. */
import { beforeAll, describe, expect, it } from 'vitest';
import { integration } from '../support/sandbox.ts';
import { registerTests } from './faults/register.ts';
import { serverTests } from './faults/servers.ts';
import { signalTests } from './faults/signals.ts';
import { Stage } from './faults/stage.ts';
import { wholeTests } from './faults/wholes.ts';

integration('faults', sandbox => {
  const stage = new Stage(sandbox, 'kaputt');
  beforeAll(async () => await stage.open());

  describe('what is impossible', () => {
    it('is told in a sentence that helps', async () => {
      const primary = await stage.primary();
      const [standby = ''] = await stage.standbys();
      expect(await stage.faults.obstacle({ kind: 'freeze', member: 'kaputt-7' })).toBe(
        'kaputt has no member kaputt-7; its members: kaputt-0, kaputt-1, kaputt-2',
      );
      expect(await stage.faults.obstacle({ kind: 'promote', member: primary })).toContain('no standby');
      expect(await stage.faults.obstacle({ kind: 'kill-server', component: standby })).toContain('a member');
      expect(await stage.faults.obstacle({ kind: 'link-down', member: standby })).toContain('--isolate');
      expect(await stage.faults.obstacle({ kind: 'hold-down', components: [] })).toContain('no server');
      for (const process of ['walreceiver', 'startup'] as const) {
        const fault = { kind: 'signal', member: primary, process, signal: 'STOP' } as const;
        expect(await stage.faults.obstacle(fault)).toContain('no standby');
      }
      const fault = { kind: 'signal', member: standby, process: 'walsender', signal: 'STOP' } as const;
      expect(await stage.faults.obstacle(fault)).toContain('feeds no standby');
      const backend = { kind: 'signal', member: standby, process: 'backend', signal: 'KILL' } as const;
      await expect(stage.faults.inject(backend, stage.soon())).rejects.toThrow('no client has a session');
      expect(await stage.faults.registered()).toEqual([]);
    });
  });

  signalTests(stage);
  serverTests(stage);
  registerTests(stage);
  wholeTests(stage);
});
