import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { lostVolumes } from '../children/volumes.ts';
import { growing } from './volumes.ts';

const claim = (name: string, change: { metadata?: object; status?: object } = {}): LiveObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, uid: name, resourceVersion: '1', ...change.metadata },
  spec: { resources: { requests: { storage: '2Gi' } } },
  status: { capacity: { storage: '2Gi' }, ...change.status },
});

test('a volume that has not grown yet is named with what it waits for', () => {
  expect(growing([claim('pgdata-demo-0')])).toBeUndefined();
  expect(growing([claim('pgdata-demo-0', { status: { capacity: undefined } })])).toBeUndefined();
  const small = { capacity: { storage: '1Gi' } };
  expect(growing([claim('pgdata-demo-0', { status: small })])).toBe(
    'pgdata-demo-0 has 1Gi and was asked to grow',
  );
  const conditions = [{ type: 'FileSystemResizePending', status: 'True', message: 'waits for the pod' }];
  expect(growing([claim('pgdata-demo-0', { status: { ...small, conditions } })])).toBe(
    'pgdata-demo-0 has 1Gi and was asked to grow (FileSystemResizePending: waits for the pod)',
  );
});

test('volumes that are gone, and those that go with their pod', () => {
  const claims = [claim('pgdata-demo-0'), claim('pgdata-demo-1', { metadata: { deletionTimestamp: 'now' } })];
  const members = ['demo-0', 'demo-1', 'demo-2'].map(name => ({ name }));
  expect([...lostVolumes(claims, members)]).toEqual([
    ['demo-1', 'leaving'],
    ['demo-2', 'gone'],
  ]);
});
