import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { entryOf } from './journal.ts';

const own = {
  at: '2026-11-23T01:00:00.123Z',
  actor: 'switchover',
  event: 'role-changed',
  subject: 'demo-1',
  message: 'is the primary now',
  reason: 'asked for',
};

function event(annotation?: string, change: object = {}): LiveObject {
  const annotations: Record<string, string> =
    annotation === undefined ? {} : { 'pgherd.dev/journal': annotation };
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', uid: 'e', resourceVersion: '1', annotations },
    involvedObject: { kind: 'postgresql', name: 'demo' },
    reason: 'RoleChanged',
    message: 'in words',
    lastTimestamp: '2026-11-23T01:00:00Z',
    ...change,
  };
}

const plain = {
  at: '2026-11-23T01:00:00.000Z',
  actor: 'operator',
  event: 'RoleChanged',
  subject: 'demo',
  message: 'in words',
  reason: undefined,
};

test('an entry of ours is given back whole', () => {
  expect(entryOf(event(JSON.stringify(own)), 'demo')).toEqual(own);
});

test('Events of others, and those of newer kinds without a time of their own, are shown as they are', () => {
  expect(entryOf(event(), 'demo')).toEqual(plain);
  const later = event(undefined, {
    lastTimestamp: null,
    metadata: { name: 'e', uid: 'e', resourceVersion: '1', creationTimestamp: '2026-11-23T02:00:00Z' },
  });
  expect(entryOf(later, 'demo')?.at).toBe('2026-11-23T02:00:00.000Z');
});

test.each([
  ['no JSON', '{'],
  ['empty', ''],
  ['nothing', 'null'],
  ['a list', '[]'],
  ['another shape', '{"at":7}'],
  ['a time that is none', JSON.stringify({ ...own, at: 'yesterday' })],
])('an annotation that somebody else wrote (%s) hides nothing: the Event is shown', (_, annotation) => {
  expect(entryOf(event(annotation), 'demo')).toEqual(plain);
});

test('Events of other objects are no entries', () => {
  expect(entryOf(event(undefined, { involvedObject: undefined }), 'demo')).toBeUndefined();
  expect(entryOf(event(JSON.stringify(own)), 'demo-2')).toBeUndefined();
  const pod = { involvedObject: { kind: 'Pod', name: 'demo' } };
  expect(entryOf(event(undefined, pod), 'demo')).toBeUndefined();
});
