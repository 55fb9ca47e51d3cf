import { describe, expect, it } from 'vitest';
import type { ProcessName } from '../../../src/core/drill/fault.ts';
import { eventually, WITHIN } from '../../support/poll.ts';
import { Sql } from '../../support/sql.ts';
import { commandOf, pidIn, type Stage, stateOf } from './stage.ts';

/** What the process says it is. */
const TITLES: [ProcessName, 'primary' | 'standby', RegExp][] = [
  ['postmaster', 'primary', /bin\/postgres -D /],
  ['walwriter', 'primary', /^postgres: kaputt: walwriter/],
  ['checkpointer', 'primary', /^postgres: kaputt: checkpointer/],
  ['patroni', 'primary', /patroni/],
  ['startup', 'standby', /^postgres: kaputt: startup/],
  ['walreceiver', 'standby', /^postgres: kaputt: walreceiver/],
];

export function signalTests(stage: Stage): void {
  describe('a signal', () => {
    it.each(TITLES)('stops %s of a %s, until it goes on', async (process, role, title) => {
      const member = role === 'primary' ? await stage.primary() : ((await stage.standbys())[0] ?? '');
      const injection = await stage.inject({ kind: 'signal', member, process, signal: 'STOP' });
      const pid = pidIn(injection.description);
      expect(injection.description).toBe(`SIGSTOP to ${process} ${pid} of ${member}`);
      expect(commandOf(pid)).toMatch(title);
      await eventually('the process to be stopped', WITHIN.notice, () => stateOf(pid) === 'T');
      await injection.undo(stage.soon());
      await injection.undo(stage.soon());
      await eventually('the process to go on', WITHIN.notice, () => stateOf(pid) !== 'T');
      expect(stateOf(pid)).toBeDefined();
    });

    it('stops the process that feeds the synchronous standby', async () => {
      const member = await stage.primary();
      await using sql = await stage.cluster.connect('primary');
      const rows = await sql.rows(
        `SELECT pid FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')`,
      );
      const fault = { kind: 'signal', member, process: 'walsender', signal: 'STOP' } as const;
      const injection = await stage.inject(fault);
      const pid = pidIn(injection.description);
      expect(rows.map(row => row.pid)).toContain(pid);
      await eventually('it to be stopped', WITHIN.notice, () => stateOf(pid) === 'T');
      await injection.undo(stage.soon());
      await stage.whole();
    });

    it("ends a session: the drill's own load first, never Patroni's or ours", async () => {
      const login = { user: 'bauer', database: 'firmendaten' };
      const address = (await stage.look()).members.find(one => one.role === 'standby');
      if (address === undefined) throw new Error('there is no standby');
      const target = await stage.cluster.target({ host: address.address, port: address.port }, login);
      await using _other = await Sql.open(target, { application_name: 'an application' });
      await using load = await Sql.open(target, { application_name: 'pgherd-drill' });
      const pid = await load.value<number>('SELECT pg_backend_pid()');
      const fault = { kind: 'signal', member: address.name, process: 'backend', signal: 'KILL' } as const;
      const injection = await stage.inject(fault);
      expect(pidIn(injection.description)).toBe(pid);
      await eventually('the session to end', WITHIN.notice, () => stateOf(pid) === undefined);
      expect(await stage.faults.registered()).toMatchObject([{ inForce: false }]);
      await injection.undo(stage.soon());
      await stage.whole();
    });

    it('ends the postmaster of the primary: another member takes over', async () => {
      const member = await stage.primary();
      const fault = { kind: 'signal', member, process: 'postmaster', signal: 'KILL' } as const;
      const injection = await stage.inject(fault);
      const pid = pidIn(injection.description);
      await eventually('it to be dead', WITHIN.notice, () => stateOf(pid) === undefined);
      await injection.undo(stage.soon());
      await eventually('another primary', WITHIN.streaming, async () => (await stage.primary()) !== member);
      await stage.whole();
    });
  });
}
