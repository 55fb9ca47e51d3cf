import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/core/drill/fault.ts';
import { context, type Shared, soon } from './platform.ts';

/** What is broken on purpose: always registered, always taken back. */
export function faultTests({ platform, cluster, ref }: Shared): void {
  const pause = async (): Promise<Fault> => {
    const { members } = await cluster().observe({ catalog: false }, soon());
    const standby = members.find(member => member.role === 'standby');
    if (standby === undefined) throw new Error('there is no standby');
    return { kind: 'pause-replay', member: standby.name };
  };

  describe('faults', () => {
    it('that are impossible are told in a sentence, and not injected', async () => {
      const { members } = await cluster().observe({ catalog: false }, soon());
      const primary = members.find(member => member.role === 'primary')?.name ?? '';
      const impossible: Fault[] = [
        { kind: 'pause-replay', member: 'probe-77' },
        { kind: 'signal', member: 'probe-77', process: 'postmaster', signal: 'KILL' },
        { kind: 'freeze', member: 'probe-77' },
        { kind: 'power-off', member: 'probe-77' },
        { kind: 'kill-server', component: 'nothing-at-all' },
        { kind: 'pause-replay', member: primary },
        { kind: 'promote', member: primary },
      ];
      for (const fault of impossible) {
        expect(await cluster().faults.obstacle(fault), JSON.stringify(fault)).toMatch(/\w+ \w+/);
        await expect(cluster().faults.inject(fault, soon())).rejects.toMatchObject({ name: 'RefusedError' });
      }
      expect(await cluster().faults.registered()).toEqual([]);
    });

    it('are not begun when the signal is aborted already', async () => {
      const gone = new Error('enough');
      await expect(cluster().faults.inject(await pause(), AbortSignal.abort(gone))).rejects.toBe(gone);
      expect(await cluster().faults.registered()).toEqual([]);
    });

    it('are registered and observed until they are undone, which may be done twice', async () => {
      const fault = await pause();
      expect(await cluster().faults.obstacle(fault)).toBeUndefined();
      const before = Date.now();
      const injection = await cluster().faults.inject(fault, soon());
      try {
        expect(injection.at).toBeGreaterThanOrEqual(before);
        expect(injection.at).toBeLessThanOrEqual(Date.now());
        const { description } = injection;
        using other = await platform().open(ref(), soon());
        expect(await other.faults.registered()).toMatchObject([
          { fault, description, owned: true, inForce: true },
        ]);
        const { faults } = await other.observe({ catalog: false }, soon());
        expect(faults).toEqual([{ description, owned: true }]);
        expect(await other.faults.undo('orphaned', context())).toEqual([]);
        expect(await other.faults.registered()).toHaveLength(1);
      } finally {
        await injection.undo(soon());
      }
      await injection.undo(soon());
      expect(await cluster().faults.registered()).toEqual([]);
      expect((await cluster().observe({ catalog: false }, soon())).faults ?? []).toEqual([]);
    });

    it('are undone by whoever asks for all of them', async () => {
      const injection = await cluster().faults.inject(await pause(), soon());
      using other = await platform().open(ref(), soon());
      expect(await other.faults.undo('all', context())).not.toEqual([]);
      expect(await other.faults.undo('all', context())).toEqual([]);
      expect(await cluster().faults.registered()).toEqual([]);
      await injection.undo(soon());
    });
  });
}
