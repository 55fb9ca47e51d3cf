import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

import type { Observation } from '../../src/core/topology/observation.ts';
import type { PlatformAction } from '../../src/platform/contract.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { Sql } from '../support/sql.ts';
import { bringUp, context, needs, PLACEMENT, type Shared, soon } from './platform.ts';

/** What changes a cluster. The last ones stop and destroy it. */
export function operationTests({ platform, cluster, ref, manifest, traits }: Shared): void {
  const commanded = needs(traits, 'commanded');
  const look = () => cluster().observe({ catalog: false }, soon());

  describe('actions', () => {
    commanded('carried out again do no harm: nothing is interrupted, nothing changes', async () => {
      const before = await cluster().observe({ catalog: true }, soon());
      const user = cluster().spec.users.find(one => one.name === 'bauer');
      const [database] = cluster().spec.databases;
      if (user === undefined || database === undefined)
        throw new Error('the manifest lacks its user or database');
      const again: PlatformAction[] = [
        { kind: 'prepare' },
        ...cluster()
          .desired()
          .components.map(({ name, kind }) => ({
            kind: 'start' as const,
            component: name,
            componentKind: kind,
          })),
        { kind: 'configure', patch: { loop_wait: before.config?.loop_wait ?? 10 } },
        {
          kind: 'change-catalog',
          change: { kind: 'role', user, exists: true, memberOf: [], admins: [], searchPath: undefined },
        },
        { kind: 'change-catalog', change: { kind: 'database', database, exists: true } },
        { kind: 'change-catalog', change: { kind: 'pooler-lookup', database: 'firmendaten' } },
      ];
      await using sql = await open('bauer', 'firmendaten');
      for (const action of again) await cluster().apply(action, context());
      const after = await cluster().observe({ catalog: true }, soon());
      expect(after.catalog).toEqual(before.catalog);
      expect(after.config).toEqual(before.config);
      expect(running(after)).toEqual(running(before));
      // The session from before is still the same one.
      expect(await sql.value('SELECT current_user')).toBe('bauer');
    });

    commanded('are not begun when the signal is aborted already', async () => {
      const gone = new Error('enough');
      const before = running(await look());
      const [member] = cluster()
        .desired()
        .components.filter(one => one.kind === 'member');
      const restart: PlatformAction = {
        kind: 'restart',
        component: member?.name ?? '',
        componentKind: 'member',
      };
      try {
        await expect(cluster().apply(restart, context(AbortSignal.abort(gone)))).rejects.toBe(gone);
        expect(running(await look())).toEqual(before);
      } finally {
        await bringUp(cluster());
      }
    });

    commanded('that configure are in force when they end, and can be taken back', async () => {
      const parameters = { log_min_duration_statement: '4321' };
      await cluster().apply({ kind: 'configure', patch: { postgresql: { parameters } } }, context());
      expect((await look()).config?.postgresql?.parameters).toMatchObject(parameters);
      await using sql = await open('postgres', 'postgres');
      await expect.poll(() => sql.value('SHOW log_min_duration_statement')).toBe('4321ms');
      const taken = { log_min_duration_statement: null };
      await cluster().apply({ kind: 'configure', patch: { postgresql: { parameters: taken } } }, context());
      await expect.poll(() => sql.value('SHOW log_min_duration_statement')).toBe('-1');
    });
  });

  describe('operations of Patroni', () => {
    it('move the primary to a synchronous standby, and endpoints follow', async () => {
      const before = await eventually('a synchronous standby', WITHIN.streaming, async () => {
        const observed = await look();
        return observed.members.some(member => member.synchronous) && observed;
      });
      const from = before.members.find(member => member.role === 'primary')?.name ?? '';
      const to = before.members.find(member => member.synchronous)?.name;
      await cluster().patroni.switchover({ from, to }, soon());
      await eventually('the switchover to be seen', WITHIN.streaming, async () => {
        const { members } = await look();
        const [primary] = members.filter(member => member.role === 'primary');
        return primary?.name === to && members.some(member => member.state === 'streaming');
      });
      // A try that meets a server on its way down takes up to ten seconds.
      await eventually('the primary endpoint to follow', WITHIN.streaming, async () => {
        await using sql = await open('bauer', 'firmendaten');
        return (await sql.value('SELECT pg_is_in_recovery()')) === false;
      });
    });

    it('restart a member', async () => {
      const { members } = await look();
      const standby = members.find(member => member.role === 'standby');
      if (standby === undefined) throw new Error('there is no standby');
      await cluster().patroni.restart(standby.name, soon());
      await eventually('the member to stream again', WITHIN.streaming, async () => {
        const now = (await look()).members.find(member => member.name === standby.name);
        return now?.state === 'streaming';
      });
    });
  });

  describe.skipIf(traits.commanded)('what is not done by commands here', () => {
    it('is refused with a hint, before anything is touched', async () => {
      const { spec, text } = manifest(ref().name, ref().namespace, 1);
      const before = await look();
      const asked: Record<string, () => Promise<unknown>> = {
        adopt: () => platform().adopt(spec, text, PLACEMENT, soon()),
        record: () => cluster().record(),
        provision: () => cluster().provision(context()),
        apply: () => cluster().apply({ kind: 'prepare' }, context()),
        guard: () => cluster().guard(),
        heal: () => cluster().heal(before),
        remember: () => cluster().remember(before),
        stop: () => cluster().stop(context()),
        destroy: () => cluster().destroy(context()),
      };
      for (const [name, ask] of Object.entries(asked)) {
        const error = { name: 'RefusedError', hint: expect.stringMatching(/\w+ \w+/) };
        await expect(ask(), name).rejects.toMatchObject(error);
      }
      expect(running(await look())).toEqual(running(before));
      expect(await platform().list(soon())).toEqual([ref()]);
    });
  });

  describe('the control plane', () => {
    commanded('has nothing to heal in a healthy cluster, and its guard can be set twice', async () => {
      const observed = await look();
      await cluster().remember(observed);
      expect(await cluster().heal(observed)).toEqual([]);
      const sinces = async () => (await look()).members.map(member => member.since);
      const first = await sinces();
      expect(first).not.toContain(undefined);
      await cluster().remember(await look());
      expect(await sinces()).toEqual(first);
      await cluster().guard();
      await cluster().guard();
      expect((await look()).controlPlane?.running ?? true).toBe(true);
    });
  });

  describe('the end', () => {
    commanded('stop ends every server and keeps the data; up brings both back', async () => {
      {
        await using sql = await open('bauer', 'firmendaten');
        await sql.rows('CREATE TABLE bleibt ()');
      }
      await cluster().stop(context());
      const stopped = await look();
      expect(stopped).toMatchObject({ exists: true, stopped: true, config: undefined });
      expect(stopped.components.filter(component => component.running)).toEqual([]);
      expect(stopped.members.filter(member => member.role === 'primary')).toEqual([]);
      await expect(open('bauer', 'firmendaten')).rejects.toThrow();
      await cluster().stop(context());

      await bringUp(cluster());
      await using sql = await open('bauer', 'firmendaten');
      expect(await sql.value("SELECT to_regclass('bleibt')::text")).toBe('bleibt');
    });

    commanded('destroy leaves no cluster', async () => {
      expect(await cluster().destroy(context())).toEqual([]);
      expect(await platform().list(soon())).toEqual([]);
      await expect(platform().open(ref(), soon())).rejects.toMatchObject({ name: 'ClusterNotFoundError' });
      await expect(open('bauer', 'firmendaten')).rejects.toThrow();
    });
  });

  const passwords = new Map<string, string>();

  /** A session through the primary endpoint; also once the cluster is gone, to see that nobody answers. */
  async function open(user: string, database: string): Promise<Sql> {
    await cluster().access.reach(soon());
    const address = cluster().access.endpoint('primary');
    if (address === undefined) throw new Error('no primary endpoint');
    const password = passwords.get(user) ?? (await cluster().access.credentials(user)).password;
    passwords.set(user, password);
    const tls = await readFile(await cluster().access.caFile(), 'utf8').catch(() => '');
    return await Sql.open({ ...address, user, password, database, tls });
  }
}

/** Each component and since when it runs: a restart shows. */
function running({ components }: Observation): string[] {
  return components.map(({ name, running, since }) => `${name} ${running} ${since}`).sort();
}
