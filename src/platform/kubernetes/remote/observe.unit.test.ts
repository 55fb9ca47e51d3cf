import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { specFrom, USERS_OWN } from '../objects/testing/fixture.ts';
import type { MemberView, PatroniView } from '../patroni/view.ts';
import { componentsOf, observationOf } from './observe.ts';

const spec = specFrom(USERS_OWN);
const now = new Date('2026-11-23T01:00:00Z');

function member(n: number, change: Partial<MemberView> = {}): MemberView {
  return {
    name: `wichtige-daten-3-${n}`,
    ordinal: n,
    uid: `u${n}`,
    role: 'standby',
    state: 'running',
    timeline: 4,
    position: 900,
    pendingRestart: false,
    waitsForPrimary: false,
    synchronous: false,
    ready: true,
    well: true,
    terminating: false,
    templateHash: 'h',
    node: 'gl2',
    obstacle: undefined,
    ip: `10.42.0.${n}`,
    ...change,
  };
}

const primary = member(0, { role: 'primary', position: 1000 });

function look(members: MemberView[], change: Partial<PatroniView> = {}, deployments: LiveObject[] = []) {
  const view: PatroniView = {
    members,
    leader: 'wichtige-daten-3-0',
    stale: false,
    ttlSeconds: 20,
    config: { ttl: 20 },
    configVersion: '7',
    paused: false,
    switchoverPending: false,
    initialised: true,
    ...change,
  };
  const seen = { spec, namespace: 'school', view, services: [], deployments, operatorWatches: false, now };
  return observationOf(seen);
}

test('who holds the key is the primary; how far behind it the others are is told in bytes', () => {
  const behind = member(1, { synchronous: true });
  const even = member(2, { position: 1000 });
  const { members, observedAt, config } = look([primary, behind, even]);
  expect(members.map(({ role, state, lagBytes, lagSeconds }) => [role, state, lagBytes, lagSeconds])).toEqual(
    [
      ['primary', 'running', 0, 0],
      ['standby', 'streaming', 100, undefined],
      ['standby', 'streaming', 0, 0],
    ],
  );
  expect(members[1]).toMatchObject({ synchronous: true, address: '10.42.0.1', port: 5432, timeline: 4 });
  expect([observedAt, config]).toEqual([now.toISOString(), { ttl: 20 }]);
});

test('who says that it is primary without the key is unknown, and nobody is measured against it', () => {
  const { members } = look([primary, member(1)], { leader: undefined, stale: true });
  expect(members.map(({ role, lagBytes }) => [role, lagBytes])).toEqual([
    ['unknown', undefined],
    ['standby', undefined],
  ]);
});

test('a standby is never ahead by less than nothing', () => {
  expect(look([primary, member(1, { position: 1100 })]).members[1]?.lagBytes).toBe(0);
});

test.each([
  ['is being deleted', { terminating: true }, 'stopped'],
  ['has not said anything', { state: undefined, role: undefined }, 'lost'],
  ['is copied', { state: 'creating replica', well: false }, 'creating'],
  ['does not start', { state: 'start failed', well: false }, 'failed'],
  ['has crashed', { state: 'crashed', well: false }, 'failed'],
  ['stops', { state: 'stopping', well: false }, 'stopped'],
  ['starts', { state: 'starting', well: false }, 'starting'],
  ['runs and does not stream', { well: false }, 'running'],
  ['streams', {}, 'streaming'],
] as const)('a member that %s', (_, change, state) => {
  expect(look([primary, member(1, change)]).members[1]?.state).toBe(state);
});

test('why a pod does not start is its problem', () => {
  const obstacle = { reason: 'ImagePullBackOff', message: 'container postgres: no such image' };
  const { members, components } = look([primary, member(1, { state: undefined, obstacle })]);
  expect(members[1]?.problem).toBe('ImagePullBackOff: container postgres: no such image');
  expect(components.map(({ name, running }) => [name, running])).toEqual([
    ['wichtige-daten-3-0', true],
    ['wichtige-daten-3-1', false],
  ]);
});

test('a pooler runs while one of its pods is ready', () => {
  const deployment = (name: string, status: object | undefined): LiveObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, uid: name, resourceVersion: '1' },
    ...(status && { status }),
  });
  const deployments = [
    deployment('wichtige-daten-3-pooler', { readyReplicas: 1 }),
    deployment('wichtige-daten-3-pooler-repl', undefined),
    deployment('somebody-else', { readyReplicas: 1 }),
  ];
  const poolers = look([primary], {}, deployments).components.filter(({ kind }) => kind !== 'member');
  expect(poolers.map(({ kind, running }) => [kind, running])).toEqual([
    ['pooler', true],
    ['poolerStandby', false],
  ]);
});

test('what the manifest asks for: members by number, a pooler once however many pods it has', () => {
  expect(componentsOf(spec).map(({ name, kind }) => [kind, name])).toEqual([
    ['member', 'wichtige-daten-3-0'],
    ['member', 'wichtige-daten-3-1'],
    ['member', 'wichtige-daten-3-2'],
    ['pooler', 'wichtige-daten-3-pooler'],
    ['poolerStandby', 'wichtige-daten-3-pooler-repl'],
  ]);
});
