import { expect, test } from 'vitest';
import { type KnownRestore, noSuchRestore, restoreFacts } from './waiting.ts';

const known = (id: string, rest: Partial<KnownRestore> = {}): KnownRestore => ({
  id,
  purpose: 'restore',
  createdAt: `2026-11-23T0${id.at(-1)}:00:00.000Z`,
  target: { kind: 'lsn', lsn: '0/3000000' },
  reached: { lastCommitAt: undefined },
  ...rest,
});

test('whole restores wait for a person, oldest first, but for the one that is being put in place', () => {
  const all = [
    known('aaaaa3'),
    known('aaaaa1', { reached: { lastCommitAt: '2026-11-23T00:59:00Z' } }),
    known('aaaaa2', { reached: undefined }),
    known('aaaaa4', { purpose: 'verify' }),
    known('aaaaa5'),
  ];
  const { waiting, cutover } = restoreFacts(all, { id: 'aaaaa5', target: undefined });
  expect(waiting.map(({ id }) => id)).toEqual(['aaaaa1', 'aaaaa3']);
  expect(waiting[0]?.lastCommitAt).toBe('2026-11-23T00:59:00Z');
  expect(cutover?.id).toBe('aaaaa5');
  expect(restoreFacts(all, undefined).cutover).toBeUndefined();
});

test('who asks for one that is not there is told which are', () => {
  expect(noSuchRestore('x', []).hint).toContain('restore first');
  expect(noSuchRestore('x', [known('aaaaa1'), known('aaaaa2', { reached: undefined })]).hint).toBe(
    'restores: aaaaa1',
  );
});
