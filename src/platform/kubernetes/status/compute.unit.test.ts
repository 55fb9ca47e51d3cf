import { expect, test } from 'vitest';
import { World } from '../roll/testing/world.ts';
import { type ConditionType, computeStatus, type StatusInput, sameStatus } from './compute.ts';

const NOW = '2026-11-22T10:00:00Z';
const LATER = '2026-11-22T11:00:00Z';

function input(change: Partial<StatusInput> = {}): StatusInput {
  return {
    generation: 3,
    invalid: undefined,
    deleting: false,
    wanted: 3,
    synchronousMode: true,
    view: new World(3, true).view(),
    settled: true,
    step: { kind: 'none' },
    failure: undefined,
    postponed: undefined,
    backup: { status: 'Unknown', reason: 'NotConfigured', message: '' },
    ...change,
  };
}

function values(given: Partial<StatusInput>, types: ConditionType[]): unknown[] {
  const status = computeStatus(input(given), undefined, NOW);
  return [
    status.PostgresClusterStatus,
    ...types.map(type => status.conditions.find(item => item.type === type)?.status),
  ];
}

const TYPES: ConditionType[] = ['Available', 'Progressing', 'Degraded', 'InvalidSpec', 'Ready', 'Stalled'];

test('all as asked', () => {
  // A cluster that never had a status counts as being created until it is complete.
  expect(values({}, TYPES)).toEqual(['Running', 'True', 'False', 'False', 'False', 'True', 'False']);
});

test('a leader key that is not renewed is never green', () => {
  const view = { ...new World(3, true).view(), leader: undefined, stale: true };
  expect(values({ view }, TYPES).slice(1)).toEqual(['False', 'False', 'False', 'False', 'False', 'False']);
  expect(computeStatus(input({ view }), undefined, NOW).PostgresClusterStatus).not.toBe('Running');
});

test('a member that does not serve degrades, and the cluster stays available', () => {
  const view = new World(3, true).view();
  const members = view.members.map(item => (item.ordinal === 2 ? { ...item, well: false } : item));
  const step = { kind: 'wait' as const, reason: 'demo-2 is starting' };
  expect(values({ view: { ...view, members }, step }, TYPES)).toEqual([
    'Creating',
    'True',
    'True',
    'True',
    'False',
    'False',
    'False',
  ]);
});

test('a manifest that cannot be read leaves what is known of the servers standing', () => {
  const invalid = { reason: 'InvalidManifest', message: 'spec.volume.size: is missing' };
  expect(values({ invalid }, TYPES)).toEqual(['Invalid', 'True', 'False', 'False', 'True', 'False', 'True']);
});

test('a manifest that was never valid: nothing was made, which is not the same as stopped', () => {
  const invalid = { reason: 'InvalidManifest', message: 'there is no image for PostgreSQL 16' };
  const view = { ...new World(3, true).view(), members: [], leader: undefined };
  const { conditions } = computeStatus(input({ invalid, view, wanted: 0 }), undefined, NOW);
  for (const type of ['Available', 'Degraded'] as const) {
    expect(conditions.find(item => item.type === type)).toMatchObject({ status: 'False', reason: 'NotMade' });
  }
});

test('a template that does not start', () => {
  const before = computeStatus(input(), undefined, NOW);
  const step = {
    kind: 'stuck' as const,
    pod: 'demo-2',
    reason: 'ImagePullBackOff',
    message: 'no such image',
  };
  const status = computeStatus(input({ step }), before, LATER);
  expect(status.PostgresClusterStatus).toBe('UpdateFailed');
  expect(status.conditions.find(item => item.type === 'Progressing')).toMatchObject({
    status: 'False',
    reason: 'RolloutStuck',
    message: 'demo-2: ImagePullBackOff: no such image',
  });
});

test('synchronous mode without a synchronous standby is said', () => {
  const view = new World(3, false).view();
  const status = computeStatus(input({ view }), undefined, NOW);
  expect(status.conditions.find(item => item.type === 'Degraded')).toMatchObject({
    reason: 'NoSynchronousStandby',
  });
});

test('the time of a condition changes with its status only, and the same status is not written again', () => {
  const first = computeStatus(input(), undefined, NOW);
  const second = computeStatus(input({ settled: false }), first, LATER);
  const time = (status: typeof first, type: ConditionType) =>
    status.conditions.find(item => item.type === type)?.lastTransitionTime;
  expect(time(second, 'Available')).toBe(NOW);
  expect(time(second, 'Progressing')).toBe(LATER);
  expect(sameStatus(first, computeStatus(input(), first, LATER))).toBe(true);
  expect(sameStatus(first, second)).toBe(false);
  expect(sameStatus(first, computeStatus(input({ generation: 4 }), first, LATER))).toBe(false);
});
