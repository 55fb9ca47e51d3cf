import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, WITHIN } from '../../support/poll.ts';
import { isAlive } from '../../support/processes.ts';
import type { Stage } from './stage.ts';

/** What takes more than a server: data, hosts, the machine. */
export function wholeTests(stage: Stage): void {
  describe('PostgreSQL', () => {
    it('pauses its replay until the undo', async () => {
      const [member = ''] = await stage.standbys();
      const found = (await stage.look()).members.find(one => one.name === member);
      await using sql = await stage.cluster.connect({ host: found?.address ?? '', port: found?.port ?? 0 });
      const paused = () => sql.value<boolean>('SELECT pg_is_wal_replay_paused()');
      const injection = await stage.inject({ kind: 'pause-replay', member });
      expect(await paused()).toBe(true);
      await injection.undo(stage.soon());
      await injection.undo(stage.soon());
      expect(await paused()).toBe(false);
    });

    it('loses its data; built anew, the old ones are deleted, and nothing else of aside/', async () => {
      const [member = ''] = await stage.standbys();
      const aside = join(stage.cluster.root, 'aside');
      const before = readdirSync(aside);
      const injection = await stage.inject({ kind: 'lose-data', member });
      const moved = readdirSync(aside).filter(name => !before.includes(name));
      expect(moved).toEqual([expect.stringMatching(new RegExp(`^${member}\\.drill-`))]);
      expect(existsSync(join(aside, moved[0] ?? '', 'PG_VERSION'))).toBe(true);
      await injection.undo(stage.soon());
      expect(readdirSync(aside)).toEqual(before);
      expect(existsSync(join(stage.cluster.root, 'data', member, 'pgdata', 'PG_VERSION'))).toBe(true);
      await stage.whole();
    });

    it("is promoted behind Patroni's back", async () => {
      const [member = ''] = await stage.standbys();
      const directory = join(stage.cluster.root, 'data', member, 'pgdata', 'pg_wal');
      const timelines = () => readdirSync(directory).filter(name => name.endsWith('.history'));
      const before = timelines();
      const injection = await stage.inject({ kind: 'promote', member });
      await injection.undo(stage.soon());
      await eventually('its own timeline', WITHIN.notice, () => timelines().length > before.length);
      // Patroni starts it as a standby again, which streams until it learns that its timeline is another: it is built anew.
      await eventually('Patroni to notice', WITHIN.streaming, async () => {
        const found = (await stage.look()).members.find(one => one.name === member);
        return found?.role === 'standby';
      });
      await stage.opened.patroni.reinitialise(member, stage.soon());
      await stage.whole();
    });
  });

  describe('a host', () => {
    it('stands still and goes on', async () => {
      const [member = ''] = await stage.standbys();
      const before = stage.ofHost(member);
      const injection = await stage.inject({ kind: 'freeze', member });
      const answers = async () =>
        (await stage.look()).members.find(one => one.name === member)?.problem === undefined;
      expect(await answers()).toBe(false);
      const ticks = before.map(cpuTicks);
      await delay(1000);
      expect(before.map(cpuTicks)).toEqual(ticks);
      await injection.undo(stage.soon());
      await injection.undo(stage.soon());
      await stage.whole();
      const servers = before.filter(({ name }) => /^(etcd|python3)$/.test(name));
      expect(servers.length).toBeGreaterThan(1);
      expect(servers.filter(server => !isAlive(server))).toEqual([]);
    });

    it('loses its power, stays away, and comes back', async () => {
      const [member = ''] = await stage.standbys();
      const before = stage.ofHost(member);
      expect(before.length).toBeGreaterThan(5);
      const injection = await stage.inject({ kind: 'power-off', member });
      expect(injection.weaker).toContain('--isolate');
      expect(before.filter(isAlive)).toEqual([]);
      await delay(2000);
      expect(stage.ofHost(member)).toEqual([]);
      const { members, dcs } = await stage.look();
      expect(members.find(one => one.name === member)?.state).toBe('stopped');
      expect(dcs).toEqual({ voters: 3, healthyVoters: 2 });
      await injection.undo(stage.soon());
      await stage.whole();
    });
  });

  describe('the machine', () => {
    it('loses its power: nothing runs, no socket is left, and up brings all of it back', async () => {
      const injection = await stage.inject({ kind: 'power-off-all' });
      expect(stage.processes().filter(({ command }) => !command.includes('inject.ts'))).toEqual([]);
      const run = join(stage.cluster.sandbox.stateDir, 'run');
      const left = readdirSync(run, { recursive: true, withFileTypes: true });
      expect(left.filter(entry => !entry.isDirectory())).toEqual([]);
      await stage.cluster.up(stage.file);
      await injection.undo(stage.soon());
      await stage.reopen();
      const { controlPlane } = await stage.whole();
      expect(controlPlane?.running).toBe(true);
      expect(await stage.faults.registered()).toEqual([]);
    });
  });
}

/** Time that a process has spent on a processor; undefined: it has ended. */
function cpuTicks({ pid }: { pid: number }): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .join(' ');
  } catch {
    return undefined;
  }
}
