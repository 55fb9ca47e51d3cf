import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { relayPod } from './forwards.ts';

function pod(name: string, role: string | undefined, phase: string, metadata: object = {}): LiveObject {
  const labels: Record<string, string> = role === undefined ? {} : { 'spilo-role': role };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, resourceVersion: '1', labels, ...metadata },
    status: { phase },
  };
}

test('the way in leads through a standby, else through whoever runs', () => {
  const primary = pod('demo-0', 'master', 'Running');
  const standby = pod('demo-1', 'replica', 'Running');
  expect(relayPod([primary, standby])).toBe('demo-1');
  expect(relayPod([primary, pod('demo-1', 'replica', 'Pending')])).toBe('demo-0');
  expect(relayPod([primary, pod('demo-1', undefined, 'Running')])).toBe('demo-1');
  const leaving = { deletionTimestamp: '2026-11-23T01:00:00Z' };
  expect(relayPod([primary, pod('demo-1', 'replica', 'Running', leaving)])).toBe('demo-0');
  expect(relayPod([pod('demo-0', 'master', 'Failed')])).toBeUndefined();
  expect(relayPod([])).toBeUndefined();
});
