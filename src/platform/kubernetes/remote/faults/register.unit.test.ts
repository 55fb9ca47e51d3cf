import { expect, test } from 'vitest';
import { PgherdError } from '../../../../lib/errors.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { entriesOf } from './register.ts';

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
  expect(entriesOf(both)).toEqual([older, entry]);
  expect(entriesOf(map(undefined))).toEqual([]);
  expect(entriesOf(undefined)).toEqual([]);
});

test.each([
  ['no JSON', '{'],
  ['nothing', 'null'],
  ['another shape', '{"schema":2}'],
  ['a time that is none', JSON.stringify({ ...entry, at: 'yesterday' })],
])(
  'an entry that cannot be understood (%s) is named, with what to do: nothing of it can be undone',
  (_, text) => {
    const read = () => entriesOf(map({ one: JSON.stringify(entry), odd: text }));
    expect(read).toThrow(PgherdError);
    expect(read).toThrow(
      expect.objectContaining({ code: 'state-unreadable', hint: expect.stringContaining('demo-faults') }),
    );
  },
);
