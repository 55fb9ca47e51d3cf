import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Paths } from '../layout.ts';
import { listAside, noteAside, sweepAside } from './aside.ts';

let aside: string;
let paths: Paths;

beforeEach(() => {
  aside = mkdtempSync(join(tmpdir(), 'pgherd-aside-'));
  paths = { aside } as Paths;
  for (const name of ['old-0', 'old-1', 'other']) mkdirSync(join(aside, name));
});

const KEPT = { keepUntil: '2026-11-29T00:00:00Z', why: 'a cutover' };

afterEach(() => rmSync(aside, { recursive: true, force: true }));

test('what was set aside is deleted when its time has come, and nothing else', async () => {
  await noteAside(paths, 'a', KEPT, [join(aside, 'old-0')]);
  const noted = await noteAside(paths, 'a', KEPT, [join(aside, 'old-1')]);
  expect(noted).toEqual([join(aside, 'old-0'), join(aside, 'old-1')]);
  expect(await sweepAside(paths, new Date('2026-11-28T23:59:59Z'))).toEqual([]);
  expect(await sweepAside(paths, new Date('2026-11-29T00:00:00Z'))).toEqual(noted);
  expect(existsSync(join(aside, 'old-0'))).toBe(false);
  expect(existsSync(join(aside, 'other'))).toBe(true);
  expect(await sweepAside(paths, new Date('2027-01-01T00:00:00Z'))).toEqual([]);
});

test.each([
  'rubbish',
  '{"schema":1,"keepUntil":"2020-01-01T00:00:00Z","names":["../x"]}',
  '{"schema":1,"keepUntil":"soon","names":["old-0"]}',
])('a note that cannot be trusted deletes nothing: %s', async text => {
  writeFileSync(join(aside, 'kept-b.json'), text);
  expect(await sweepAside(paths, new Date('2027-01-01T00:00:00Z'))).toEqual([]);
  expect(existsSync(join(aside, 'old-0'))).toBe(true);
});

test('everything that is set aside is listed, with why and how long where that was noted', async () => {
  await noteAside(paths, 'a', KEPT, [join(aside, 'old-0')]);
  expect(await listAside(paths)).toEqual([
    { path: join(aside, 'old-0'), ...KEPT },
    { path: join(aside, 'old-1'), why: undefined, keepUntil: undefined },
    { path: join(aside, 'other'), why: undefined, keepUntil: undefined },
  ]);
});
