import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { onlyHeartbeat, type PatroniView, primaryOf, viewOf } from './view.ts';
import { merged } from './write.ts';

function configMap(part: string, annotations: Record<string, string>): LiveObject {
  const metadata = {
    name: `demo-${part}`,
    namespace: 'school',
    uid: part,
    resourceVersion: '7',
    annotations,
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

/** As Patroni 4.0.7 writes it. */
function pod(n: number, said: object, change: object = {}): LiveObject {
  const annotations = { status: JSON.stringify(said), 'pgherd.dev/template-hash': 'h' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `demo-${n}`, namespace: 'school', uid: `u${n}`, resourceVersion: '1', annotations },
    spec: { nodeName: 'gl2' },
    status: { podIP: `10.42.0.${n}`, conditions: [{ type: 'Ready', status: 'True' }] },
    ...change,
  };
}

const leader = { leader: 'demo-0', renewTime: '1', ttl: '20', optime: '9', transitions: '0' };
const primary = { role: 'primary', state: 'running', xlog_location: 1000, timeline: 2 };
const standby = {
  role: 'replica',
  state: 'running',
  replication_state: 'streaming',
  xlog_location: 900,
  timeline: 2,
};

function look(
  change: { pods?: LiveObject[]; maps?: LiveObject[]; ago?: number | undefined } = {},
): PatroniView {
  return viewOf({
    cluster: 'demo',
    hashAnnotation: 'pgherd.dev/template-hash',
    pods: change.pods ?? [pod(1, standby), pod(0, primary)],
    configMaps: change.maps ?? [
      configMap('leader', leader),
      configMap('config', { config: '{"ttl":20,"pause":false}', initialize: '77' }),
      configMap('sync', { leader: 'demo-0', sync_standby: 'demo-1' }),
    ],
    renewedAgoMs: 'ago' in change ? change.ago : 100,
  });
}

test('what Patroni and the kubelet say becomes members', () => {
  const view = look();
  expect(
    view.members.map(item => [item.name, item.role, item.well, item.synchronous, item.position]),
  ).toEqual([
    ['demo-0', 'primary', true, false, 1000],
    ['demo-1', 'standby', true, true, 900],
  ]);
  expect(primaryOf(view)?.name).toBe('demo-0');
  expect(view).toMatchObject({ initialised: true, paused: false, switchoverPending: false, ttlSeconds: 20 });
});

test('a leader key that was not renewed in time, or was never seen to be, makes nobody a primary', () => {
  for (const ago of [20_001, undefined]) {
    const view = look({ ago });
    expect(view.stale).toBe(true);
    expect(primaryOf(view)).toBeUndefined();
    expect(view.members.some(item => item.well && item.role === 'primary')).toBe(false);
  }
  expect(look({ ago: 19_999 }).stale).toBe(false);
});

test('who says it is primary without the key is not well', () => {
  const view = look({ pods: [pod(0, primary), pod(1, primary)] });
  expect(view.members.map(item => item.well)).toEqual([true, false]);
});

test('a pod that is not ready, is being deleted or does not stream is not well', () => {
  const sick = [
    pod(1, standby, { status: { conditions: [{ type: 'Ready', status: 'False' }] } }),
    pod(1, { ...standby, replication_state: undefined }),
    pod(1, { ...standby, state: 'start failed' }),
  ];
  for (const item of sick) expect(look({ pods: [item] }).members[0]?.well).toBe(false);
  const leaving = pod(1, standby);
  leaving.metadata.deletionTimestamp = '2026-11-22T00:00:00Z';
  expect(look({ pods: [leaving] }).members[0]).toMatchObject({ well: false, terminating: true });
});

test('what keeps a pod from starting is named', () => {
  const waiting = {
    name: 'postgres',
    state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
  };
  const [item] = look({ pods: [pod(2, {}, { status: { containerStatuses: [waiting] } })] }).members;
  expect(item?.obstacle).toEqual({
    reason: 'ImagePullBackOff',
    message: 'container postgres: no such image',
  });
});

test('pods of other names are nobody’s members', () => {
  const pooler = pod(0, {});
  pooler.metadata.name = 'demo-pooler-5d7c-x';
  expect(look({ pods: [pooler] }).members).toEqual([]);
});

test('a decrease that the primary makes first is told from an increase', () => {
  const reason = (from: number, to: number) => ({
    ...standby,
    pending_restart: true,
    pending_restart_reason: { max_connections: { old_value: String(from), new_value: String(to) } },
  });
  expect(look({ pods: [pod(1, reason(200, 100))] }).members[0]?.waitsForPrimary).toBe(true);
  expect(look({ pods: [pod(1, reason(100, 200))] }).members[0]?.waitsForPrimary).toBe(false);
});

test('renewals and positions alone are no reason to act; a role, a state, a label is', () => {
  expect(
    onlyHeartbeat(
      configMap('leader', leader),
      configMap('leader', { ...leader, renewTime: '2', optime: '10' }),
    ),
  ).toBe(true);
  expect(
    onlyHeartbeat(configMap('leader', leader), configMap('leader', { ...leader, leader: 'demo-1' })),
  ).toBe(false);
  expect(onlyHeartbeat(pod(1, standby), pod(1, { ...standby, xlog_location: 950 }))).toBe(true);
  expect(onlyHeartbeat(pod(1, standby), pod(1, { ...standby, state: 'stopped' }))).toBe(false);
  expect(onlyHeartbeat(pod(1, standby), pod(1, standby, { status: {} }))).toBe(false);
});

test('a merge patch sets, replaces and deletes, and leaves the rest', () => {
  const base = { ttl: 20, postgresql: { parameters: { a: '1', b: '2' }, use_slots: true } };
  expect(merged(base, { ttl: 30, postgresql: { parameters: { a: null, c: '3' } } })).toEqual({
    ttl: 30,
    postgresql: { parameters: { b: '2', c: '3' }, use_slots: true },
  });
});

test('a configuration that cannot be understood counts as empty, one that is not there as none', () => {
  const configOf = (config: string) => look({ maps: [configMap('config', { config })] }).config;
  expect(configOf('{"ttl":"soon","loop_wait":1,"postgresql":{"parameters":{}}}')).toEqual({
    loop_wait: 1,
    postgresql: { parameters: {} },
  });
  for (const text of ['', '{', 'null', '[1]', '7']) expect(configOf(text), text).toEqual({});
  expect(look({ maps: [configMap('config', { initialize: '77' })] }).config).toBeUndefined();
});

test('a lease of no length lasts as long as Patroni makes it last', () => {
  const silent = (ttl: string) => look({ maps: [configMap('leader', { ...leader, ttl })], ago: 30_001 });
  for (const ttl of ['', 'long', '0'])
    expect(silent(ttl), ttl).toMatchObject({ ttlSeconds: 30, stale: true });
});

test('a member is shown whatever stands in the annotation that it writes', () => {
  const member = (status: string) => {
    const it = pod(0, {});
    it.metadata.annotations = { status };
    return look({ pods: [it] }).members[0];
  };
  for (const status of ['', '{', 'null', '[]', '7', '{"state":7,"role":[],"timeline":"2"}'])
    expect(member(status), status).toMatchObject({ state: undefined, role: undefined, timeline: undefined });
  for (const reason of ['null', '7', '{"max_connections":null}', '{"max_connections":7}'])
    expect(member(`{"pending_restart":true,"pending_restart_reason":${reason}}`), reason).toMatchObject({
      pendingRestart: true,
      waitsForPrimary: false,
    });
});
