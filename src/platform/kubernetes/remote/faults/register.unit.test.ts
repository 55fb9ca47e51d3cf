import { expect, test } from 'vitest';
import type { LiveObject } from '../../api/kinds.ts';
import { contentsOf } from './register.ts';

const entry = {
  schema: 1,
  id: 'one',
  fault: { kind: 'pause-replay', member: 'demo-1' },
  description: 'pg_wal_replay_pause() on demo-1',
  at: '2026-11-23T01:00:00.000Z',
  owner: { boot: 'b', pid: 7, startTime: '99' },
  undo: [{ kind: 'replay', member: 'demo-1' }],
};

function map(data: Record<string, string> | undefined): LiveObject {
  const metadata = { name: 'demo-faults', uid: 'f', resourceVersion: '1' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...(data && { data }) };
}

test('entries come oldest first', () => {
  const older = { ...entry, id: 'two', at: '2026-11-22T01:00:00.000Z' };
  const both = map({ one: JSON.stringify(entry), two: JSON.stringify(older) });
  expect(contentsOf(both)).toEqual({ entries: [older, entry], damaged: [], version: '1' });
  expect(contentsOf(map(undefined))).toEqual({ entries: [], damaged: [], version: '1' });
  expect(contentsOf(undefined)).toEqual({ entries: [], damaged: [], version: undefined });
});

test.each([
  ['no JSON', '{'],
  ['nothing', 'null'],
  ['another shape', '{"schema":2}'],
  ['a time that is none', JSON.stringify({ ...entry, at: 'yesterday' })],
])('an entry that cannot be understood (%s) is named, and hides no other one', (_, text) => {
  const { entries, damaged } = contentsOf(map({ one: JSON.stringify(entry), odd: text }));
  expect(entries).toEqual([entry]);
  expect(damaged).toMatchObject([
    {
      code: 'state-unreadable',
      message: 'the registered fault odd cannot be understood',
      hint: expect.stringContaining('demo-faults'),
    },
  ]);
});
