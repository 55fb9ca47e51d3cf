import { describe, expect, it } from 'vitest';
import type { FaultKind } from './fault.ts';
import type { Situation } from './scenario.ts';
import { SCENARIOS, scenarioOf } from './scenarios.ts';

const SITUATION: Situation = {
  primary: 'demo-0',
  synchronous: 'demo-1',
  standbys: ['demo-1', 'demo-2'],
  voters: ['etcd-0', 'etcd-1', 'etcd-2'],
  poolers: ['pooler-0'],
  proxy: 'proxy',
  repositories: ['members/demo-0', 'nas'],
};
const LEASE = { ttlMs: 20_000 };

/** Faults that stand until they are taken back; a KILL is over when it has struck. */
const STANDING: readonly FaultKind[] = [
  'hold-down',
  'power-off',
  'freeze',
  'cut',
  'link-down',
  'forget-connections',
  'fill-volume',
  'freeze-volume',
  'pause-replay',
  'break-repository',
];

describe('the drills', () => {
  it('have numbers and names of their own, found whatever the case', () => {
    expect(new Set(SCENARIOS.map(({ id }) => id.toLowerCase())).size).toBe(SCENARIOS.length);
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    expect(scenarioOf('a1')).toBe(scenarioOf('postmaster-killed'));
    expect(scenarioOf('Z9')).toBeUndefined();
  });

  it('cover the faults that are to be shipped', () => {
    const wanted =
      'A1 A2 A3 A4 A5 A6 A7 A9 B1 B2 B4 C1 C2 C3 C4 C8 C9 D1 D2 D3 E4 E5 E9 F5 G1 G2 G8 H1 H3 H4 I1 I2 I3 I4 I5 I6 I7 J1 J7'.split(
        ' ',
      );
    expect(SCENARIOS.map(({ id }) => id)).toEqual(expect.arrayContaining(wanted));
  });

  it.each(SCENARIOS.map(scenario => [scenario.id, scenario] as const))(
    '%s does something, and takes back what would stand for ever',
    (id, { steps, bounds }) => {
      let standing = 0;
      let done = 0;
      for (const step of steps) {
        if (step.do === 'inject') {
          const faults = step.faults(SITUATION);
          expect(faults, `${id} has somebody to do it to`).not.toEqual([]);
          done += faults.length;
          standing += faults.filter(
            fault => STANDING.includes(fault.kind) || (fault.kind === 'signal' && fault.signal === 'STOP'),
          ).length;
        } else if (step.do === 'undo' && step.kind === undefined) standing = 0;
        else if (step.do === 'wait') expect(step.ms(LEASE)).toBeGreaterThan(0);
        else if (['switchover', 'storm', 'rehearse'].includes(step.do)) done += 1;
      }
      expect({ standing, some: done > 0 }).toEqual({ standing: 0, some: true });
      for (const bound of [bounds.writes(LEASE), bounds.reads(LEASE)]) {
        if (bound !== undefined) expect(bound).toBeGreaterThan(0);
      }
    },
  );

  it('break nothing where there is nobody to do it to', () => {
    const alone = {
      ...SITUATION,
      synchronous: undefined,
      standbys: [],
      poolers: [],
      proxy: undefined,
      repositories: [],
    };
    for (const { steps } of SCENARIOS) {
      for (const step of steps) {
        if (step.do === 'inject') expect(step.faults(alone).every(fault => fault !== undefined)).toBe(true);
      }
    }
  });
});
