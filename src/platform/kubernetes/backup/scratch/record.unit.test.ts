import { expect, test } from 'vitest';
import type { LiveObject } from '../../api/kinds.ts';
import { RESTORE_ANNOTATION } from '../../objects/restorePod.ts';
import { recordOf } from './record.ts';

const note = {
  id: 'abc',
  purpose: 'restore',
  createdAt: '2026-11-23T01:00:00.000Z',
  repository: 'members',
  backup: '20261123-010000F',
  target: { kind: 'time', at: '2026-11-23T00:59:00Z' },
  restoredMs: 1,
  replayedMs: 2,
};

function pod(text: string | undefined): LiveObject {
  const annotations: Record<string, string> = text === undefined ? {} : { [RESTORE_ANNOTATION]: text };
  const metadata = { name: 'demo-restore-abc', uid: 'p', resourceVersion: '1', annotations };
  return { apiVersion: 'v1', kind: 'Pod', metadata };
}

test('the note of a restore is read back', () => {
  expect(recordOf(pod(JSON.stringify(note)))).toMatchObject({
    id: 'abc',
    target: note.target,
    reached: undefined,
  });
});

test('a pod without a note of ours is no restore of ours', () => {
  const others = [undefined, '', '{', 'null', '{}', JSON.stringify({ ...note, target: 'yesterday' })];
  for (const text of others) expect(recordOf(pod(text)), text).toBeUndefined();
});
