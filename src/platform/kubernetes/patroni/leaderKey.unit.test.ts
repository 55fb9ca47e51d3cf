import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { dcsOf } from './leaderKey.ts';

function map(name: string, annotations: Record<string, string>): LiveObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, uid: name, resourceVersion: '7', annotations },
  };
}

const LEADER = { leader: 'demo-1', transitions: '3', acquireTime: 'then', renewTime: 'now', ttl: '20' };

test('the key, the standbys and what is asked for are read from the annotations of Patroni', () => {
  expect(
    dcsOf('demo', [
      map('demo-leader', LEADER),
      map('demo-sync', { leader: 'demo-1', sync_standby: 'demo-0,demo-2' }),
      map('demo-config', { config: '{"ttl":20,"pause": true} ' }),
      map('demo-failover', { leader: 'demo-1', member: 'demo-2' }),
      map('other-leader', { leader: 'other-0' }),
    ]),
  ).toEqual({
    key: { holder: 'demo-1', revision: '3 then', renewTime: 'now', ttlMs: 20_000, resourceVersion: '7' },
    sync: { leader: 'demo-1', standbys: ['demo-0', 'demo-2'] },
    paused: true,
    moving: true,
  });
});

test('a key that was given back names nobody, and a switchover that is done asks for nothing', () => {
  const { leader: _, ...rest } = LEADER;
  const read = dcsOf('demo', [map('demo-leader', rest), map('demo-failover', {}), map('demo-config', {})]);
  expect(read).toMatchObject({ key: { holder: undefined }, sync: undefined, paused: false, moving: false });
  expect(dcsOf('demo', []).key).toBeUndefined();
});

test('a key that the same member takes anew has another revision, one that is renewed has not', () => {
  const revision = (more: object) =>
    dcsOf('demo', [map('demo-leader', { ...LEADER, ...more })]).key?.revision;
  expect(revision({ renewTime: 'later' })).toBe(revision({}));
  expect(revision({ transitions: '4' })).not.toBe(revision({}));
});
