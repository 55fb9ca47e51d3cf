import fc from 'fast-check';
import { outside, type Sample } from '../sample.ts';
import { makeSetting, members, primary } from './fixture.ts';

const anyName = fc.constantFrom(...members);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** A sample without sense or coherence; its times are offsets to the look before. */
const senseless: fc.Arbitrary<Sample> = fc.record({
  at: fc.constantFrom(-50, 0, 20, 100, 100, 100, 100, 250, 600, 5_000),
  ownLateMs: fc.constantFrom(0, 0, 0, 0, 100, 151, 3_000),
  setting: fc
    .record({
      mode: fc.constantFrom('sync', 'sync', 'sync', 'strict', 'async', 'single'),
      paused: fc.integer({ max: 9, min: 0 }).map(n => n === 0),
      maintenance: fc.integer({ max: 9, min: 0 }).map(n => n === 0),
      operation: fc.constantFrom(undefined, undefined, undefined, undefined, 'switchover'),
    } as const)
    .map(changes => makeSetting(changes)),
  member: maybe(anyName),
  link: maybe(
    fc.oneof(
      fc.record({ state: fc.constant('answered' as const), takesWrites: fc.boolean() }),
      fc.record({ state: fc.constantFrom('silent' as const, 'closed' as const) }),
    ),
  ),
  process: maybe(fc.constantFrom('running', 'gone', 'unknown')),
  newConnection: maybe(fc.record({ succeeded: fc.boolean(), endedAt: fc.integer({ min: -600, max: 0 }) })),
  commit: maybe(
    fc.oneof(
      fc.constant({ state: 'finished' as const }),
      fc.record({ state: fc.constant('running' as const), since: fc.constantFrom(-9_000, -7_000, -10) }),
    ),
  ),
  patroni: maybe(
    fc.record({
      answered: fc.boolean(),
      failsafe: fc.boolean(),
      endedAt: fc.integer({ min: -600, max: 0 }),
    }),
  ),
  vantages: maybe(
    fc.array(fc.record({ from: fc.constantFrom(outside, ...members), reached: maybe(fc.boolean()) }), {
      maxLength: 4,
    }),
  ),
  leader: maybe(
    fc.oneof(
      fc.record({
        state: fc.constant('held' as const),
        name: fc.constantFrom('demo-0', 'demo-0', 'demo-0', 'demo-1'),
        revision: fc.constantFrom('7', '7', '7', '8'),
        leaseRemainingMs: fc.integer({ min: -1_000, max: 20_000 }),
        ttlMs: fc.constant(20_000),
        sentAt: fc.integer({ min: -2_000, max: 0 }),
      }),
      fc.record({ state: fc.constant('none' as const), sentAt: fc.integer({ min: -2_000, max: 0 }) }),
      fc.constant({ state: 'unreadable' as const }),
    ),
  ),
  sync: maybe(
    fc.record({
      leader: maybe(anyName),
      standbys: fc.array(fc.record({ name: anyName, streams: maybe(fc.boolean()), answers: fc.boolean() }), {
        maxLength: 2,
      }),
    }),
  ),
  strays: maybe(fc.uniqueArray(anyName, { maxLength: 2 })),
  fenced: maybe(fc.record({ member: anyName, sent: fc.boolean() })),
});

const setting = makeSetting();
const held = { state: 'held' as const, name: primary, revision: '7', ttlMs: 20_000, sentAt: 0 };
const places = [outside, 'demo-1', 'demo-2'];

/** Samples of a primary that is well, lost, killed, stopped, or without Patroni or disk. */
const well: Sample = {
  at: 100,
  ownLateMs: 0,
  setting,
  member: primary,
  link: { state: 'answered', takesWrites: true },
  process: 'running',
  newConnection: { succeeded: true, endedAt: 0 },
  commit: { state: 'finished' },
  patroni: { answered: true, failsafe: false, endedAt: 0 },
  vantages: places.map(from => ({ from, reached: true })),
  leader: { ...held, leaseRemainingMs: 19_000 },
  sync: { leader: primary, standbys: [{ name: 'demo-1', streams: true, answers: true }] },
};
const silent = { answered: false, failsafe: false, endedAt: 0 };
const typical: Sample[] = [
  well,
  {
    ...well,
    link: { state: 'silent' },
    process: 'unknown',
    newConnection: undefined,
    commit: undefined,
    patroni: silent,
    vantages: places.map(from => ({ from, reached: from === primary })),
    leader: { ...held, leaseRemainingMs: 0 },
  },
  { ...well, link: { state: 'closed' }, process: 'gone', newConnection: { succeeded: false, endedAt: 0 } },
  { ...well, newConnection: { succeeded: false, endedAt: 0 } },
  { ...well, patroni: silent, leader: { ...held, leaseRemainingMs: 15_000 } },
  { ...well, commit: { state: 'running', since: -100 } },
  { ...well, leader: { ...held, leaseRemainingMs: 2_000 } },
  { ...well, strays: ['demo-2'] },
];

/** Typical but for a few fields. */
const nearlyTypical = fc
  .tuple(
    fc.constantFrom(...typical),
    senseless,
    fc.subarray(Object.keys(well) as (keyof Sample)[], { maxLength: 2 }),
  )
  .map(([base, other, fields]): Sample => {
    const replaced = Object.fromEntries(fields.map(field => [field, other[field]]));
    return { ...base, ...replaced };
  });

/** One sample, looked at so often: only so do the long thresholds get crossed. Its times are relative. */
export type Stretch = [sample: Sample, looks: number];

export const anyStretches: fc.Arbitrary<Stretch[]> = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 1, arbitrary: senseless },
      { weight: 1, arbitrary: fc.constantFrom(...typical) },
      { weight: 2, arbitrary: nearlyTypical },
    ),
    fc.constantFrom(1, 1, 2, 8, 40, 80),
  ),
  { minLength: 1, maxLength: 12 },
);

/** The samples of all looks, 100 ms apart but for the first of each stretch. */
export function samplesOf(stretches: Stretch[]): Sample[] {
  let now = 0;
  const samples: Sample[] = [];
  for (const [sample, looks] of stretches) {
    const { newConnection, commit, patroni, leader } = sample;
    const startedAt = now;
    for (let look = 0; look < looks; look += 1) {
      now = Math.max(0, now + (look === 0 ? sample.at : 100));
      samples.push({
        ...sample,
        at: now,
        newConnection: newConnection && { ...newConnection, endedAt: now + newConnection.endedAt },
        commit: commit?.state === 'running' ? { ...commit, since: startedAt + commit.since } : commit,
        patroni: patroni && { ...patroni, endedAt: now + patroni.endedAt },
        leader: leader && leader.state !== 'unreadable' ? { ...leader, sentAt: now + leader.sentAt } : leader,
      });
    }
  }
  return samples;
}
