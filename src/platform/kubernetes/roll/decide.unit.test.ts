import fc from 'fast-check';
import { expect, test } from 'vitest';
import { primaryOf } from '../patroni/view.ts';
import { decide, type RollInput, type RollStep } from './decide.ts';
import { member, World } from './testing/world.ts';

/** What must hold of every step, in any situation. */
function check(step: RollStep, input: RollInput): void {
  const { view, replicas, wanted } = input;
  const primary = primaryOf(view);
  const unwell = view.members.filter(item => !item.well);
  const missing = replicas - view.members.length;
  if (step.kind === 'delete-pod') {
    const victim = view.members.find(({ name }) => name === step.pod);
    const lost = input.lostVolumes.get(step.pod);
    if (lost === undefined) expect(victim?.templateHash).not.toBe(input.templateHash);
    if (lost !== 'gone') expect(missing).toBe(0);
    // The only copy of the data goes with its pod.
    if (lost === 'leaving') expect(view.members.length).toBeGreaterThan(1);
    if (victim?.well === true) expect(unwell).toEqual([]);
    if (victim?.name === primary?.name) expect(view.members.length).toBe(1);
  }
  if (step.kind === 'switchover') {
    const to = view.members.find(({ name }) => name === step.to);
    expect(to?.well).toBe(true);
    expect(step.from).toBe(primary?.name);
    if (input.synchronousMode) expect(to?.synchronous).toBe(true);
    expect(
      to?.node !== undefined && input.cordoned.has(to.node) && !input.cordoned.has(primary?.node ?? ''),
    ).toBe(false);
  }
  if (step.kind === 'scale' && step.to < replicas && wanted > 0) {
    expect(step.to).toBe(replicas - 1);
    expect(unwell).toEqual([]);
    expect(primary?.ordinal).toBeLessThan(step.to);
  }
  if (step.kind === 'restart-member') expect(unwell).toEqual([]);
}

const wishes = fc.array(
  fc.record({
    template: fc.constantFrom('one', 'two', 'three'),
    instances: fc.integer({ min: 1, max: 6 }),
    ticks: fc.nat(12),
    cordoned: fc.constantFrom<string[]>([], ['node-0'], ['node-1']),
    lost: fc.constantFrom<string[]>([], ['demo-0'], ['demo-1', 'demo-2']),
  }),
  { minLength: 1, maxLength: 5 },
);

// Takes seconds on a busy machine.
const SLOW = { timeout: 60_000 };

test('whatever is asked for and when: no step breaks the rules, and in the end all is as asked', SLOW, () => {
  fc.assert(
    fc.property(
      wishes,
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      fc.array(fc.nat(4)),
      (plan, start, sync, speeds) => {
        const world = new World(start, sync);
        let n = 0;
        const round = () => {
          const input = world.input();
          const step = decide(input);
          check(step, input);
          world.apply(step);
          world.tick(speeds[n++ % Math.max(1, speeds.length)] ?? 1);
          return step;
        };
        for (const { template, instances, ticks, cordoned, lost } of plan) {
          world.wish = { template, broken: false, instances, cordoned };
          for (const { name } of world.members)
            if (lost.includes(name) && world.wish.instances > 1) world.lostVolumes.set(name, 'leaving');
          for (let tick = 0; tick < ticks; tick++) round();
        }
        // A single member whose volume was deleted is left alone until there is a second.
        const instances = Math.max(world.wish.instances, world.lostVolumes.size > 0 ? 2 : 1);
        world.wish = { ...world.wish, instances, cordoned: [] };
        let last: RollStep = { kind: 'wait', reason: '' };
        for (let tick = 0; tick < 300 && last.kind !== 'none'; tick++) last = round();
        expect(last.kind).toBe('none');
        expect(world.members.length).toBe(world.wish.instances);
        expect(new Set(world.members.map(item => item.templateHash))).toEqual(new Set([world.wish.template]));
        expect(primaryOf(world.view())?.well).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test('a template that does not start costs one standby, says so, and is left behind by the next one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.boolean(), (instances, sync) => {
      const world = new World(instances, sync);
      const primary = world.leader;
      world.wish = { template: 'broken', broken: true, instances, cordoned: [] };
      let last: RollStep = { kind: 'none' };
      for (let tick = 0; tick < 30; tick++) {
        last = decide(world.input());
        check(last, world.input());
        world.apply(last);
        world.tick(1);
      }
      expect(last).toMatchObject({ kind: 'stuck', reason: 'ImagePullBackOff' });
      expect(world.members.filter(item => !item.well).length).toBe(1);
      expect(world.leader).toBe(primary);
      world.wish = { template: 'mended', broken: false, instances, cordoned: [] };
      for (let tick = 0; tick < 100; tick++) {
        last = decide(world.input());
        check(last, world.input());
        world.apply(last);
        world.tick(1);
      }
      expect(last.kind).toBe('none');
      expect(world.members.every(item => item.well && item.templateHash === 'mended')).toBe(true);
    }),
  );
});

function situation(change: Partial<RollInput> = {}): RollInput {
  const world = new World(3, true);
  return { ...world.input(), ...change };
}

test('the standby that commits wait for goes after the others', () => {
  const input = situation({ templateHash: 'new' });
  const synchronous = input.view.members.find(item => item.synchronous)?.name;
  expect(decide(input)).toMatchObject({ kind: 'delete-pod', pod: 'demo-2' });
  expect(synchronous).toBe('demo-1');
});

test('a primary on a node that is being drained hands over first, also in the middle of other work', () => {
  const input = situation({ cordoned: new Set(['node-0']), templateHash: 'new' });
  expect(decide(input)).toMatchObject({ kind: 'switchover', from: 'demo-0', to: 'demo-1' });
});

test('restarts: standbys, then the primary; for a decrease the primary before the standbys', () => {
  const base = situation();
  const restarts = (waitsForPrimary: boolean): RollInput => ({
    ...base,
    view: {
      ...base.view,
      members: base.view.members.map(item => ({ ...item, pendingRestart: true, waitsForPrimary })),
    },
  });
  expect(decide(restarts(false))).toMatchObject({ kind: 'restart-member', member: 'demo-1' });
  expect(decide(restarts(true))).toMatchObject({ kind: 'restart-member', member: 'demo-0' });
});

test('while Patroni is paused nothing is touched', () => {
  const base = situation({ templateHash: 'new' });
  expect(decide({ ...base, view: { ...base.view, paused: true } })).toMatchObject({ kind: 'wait' });
});

test('with one member unwell nothing that runs is touched', () => {
  const base = situation({ templateHash: 'new' });
  const members = [
    member('demo-0', { role: 'primary' }),
    member('demo-1'),
    member('demo-2', { well: false, state: 'starting' }),
  ];
  expect(decide({ ...base, view: { ...base.view, members } })).toMatchObject({ kind: 'wait' });
});

test('0 instances: all stop at once', () => {
  expect(decide(situation({ wanted: 0 }))).toMatchObject({ kind: 'scale', to: 0 });
  expect(decide({ ...situation({ wanted: 0, replicas: 0 }) })).toEqual({ kind: 'none' });
});

test('a deleted volume: its member is built anew while all are well, the primary after a switchover', () => {
  const lost = (...names: string[]) =>
    situation({ lostVolumes: new Map(names.map(name => [name, 'leaving'])) });
  expect(decide(lost('demo-2'))).toMatchObject({ kind: 'delete-pod', pod: 'demo-2' });
  expect(decide(lost('demo-0', 'demo-1'))).toMatchObject({ kind: 'delete-pod', pod: 'demo-1' });
  expect(decide(lost('demo-0'))).toMatchObject({ kind: 'switchover', from: 'demo-0', to: 'demo-1' });
  const world = new World(1, false);
  const alone = {
    ...world.input(),
    templateHash: 'new',
    lostVolumes: new Map([['demo-0', 'leaving']] as const),
  };
  expect(decide(alone)).toMatchObject({ kind: 'stuck', pod: 'demo-0', reason: 'VolumeDeleted' });
});

test('a pod that waits for a volume that is gone is made anew at once', () => {
  const base = situation();
  const waiting = member('demo-2', {
    role: undefined,
    state: undefined,
    ready: false,
    well: false,
    node: undefined,
  });
  const view = { ...base.view, members: [...base.view.members.slice(0, 2), waiting] };
  const gone = new Map([['demo-2', 'gone']] as const);
  expect(decide({ ...base, view, lostVolumes: gone })).toMatchObject({ kind: 'delete-pod', pod: 'demo-2' });
  // One that runs has its volume, whatever we have not seen.
  expect(decide(situation({ lostVolumes: gone }))).toEqual({ kind: 'none' });
});
