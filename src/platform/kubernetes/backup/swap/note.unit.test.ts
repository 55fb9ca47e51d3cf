import { expect, test } from 'vitest';
import type { LiveObject } from '../../api/kinds.ts';
import {
  ASIDE_ANNOTATION,
  asideFacts,
  asideName,
  asideOf,
  SWAP_ANNOTATION,
  type SwapNote,
  swapOf,
} from './note.ts';

const now = new Date('2026-11-23T05:06:07.089Z');
const note: SwapNote = {
  primary: 'herd-1',
  aside: {
    name: asideName('9d0df6', now),
    keepUntil: '2026-11-30T05:06:07.089Z',
    why: 'a cutover',
    members: ['herd-0', 'herd-1'],
  },
  scratch: {
    id: '9d0df6',
    purpose: 'restore',
    createdAt: now.toISOString(),
    repository: 'members',
    backup: '20261123-042235F',
    restoredMs: 1,
    replayedMs: 2,
  },
};
const map = (annotations: Record<string, string>) =>
  ({ metadata: { name: 'herd-config', annotations } }) as unknown as LiveObject;

test('a cutover that was begun is read as it was written', () => {
  expect(swapOf(undefined)).toBeUndefined();
  expect(swapOf(map({}))).toBeUndefined();
  expect(swapOf(map({ [SWAP_ANNOTATION]: JSON.stringify(note) }))).toEqual(note);
});

test('nobody goes on by a note that cannot be understood', () => {
  for (const text of [
    '',
    '{',
    '{}',
    JSON.stringify({ ...note, aside: { ...note.aside, name: '../data' } }),
  ]) {
    expect(() => swapOf(map({ [SWAP_ANNOTATION]: text }))).toThrow(/cannot be understood/);
  }
  // Deleting goes by these names.
  expect(asideOf(map({ [ASIDE_ANNOTATION]: '[{"name":"data","members":["herd-0"]}]' }))).toEqual([]);
});

test('what was set aside is told with its place and its end', () => {
  expect(note.aside.name).toBe('aside-20261123T050607Z-9d0df6');
  expect(asideFacts(map({ [ASIDE_ANNOTATION]: JSON.stringify([note.aside]) }))).toEqual([
    {
      path: 'pod herd-0: /home/postgres/pgdata/pgroot/aside-20261123T050607Z-9d0df6',
      why: 'a cutover',
      keepUntil: '2026-11-30T05:06:07.089Z',
    },
    {
      path: 'pod herd-1: /home/postgres/pgdata/pgroot/aside-20261123T050607Z-9d0df6',
      why: 'a cutover',
      keepUntil: '2026-11-30T05:06:07.089Z',
    },
  ]);
});
