import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { Paths } from '../layout.ts';
import { listAside } from './aside.ts';
import { setAsideCopies } from './leftCopies.ts';

let root: string;
let paths: Paths;
const NOW = new Date('2026-11-22T12:00:00Z');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pgherd-copies-'));
  const at = (name: string) => join(root, name);
  paths = { root, aside: at('aside'), conf: at('conf'), run: at('run'), secrets: at('secrets') } as Paths;
  for (const name of ['demo-0', 'demo-1', 'demo-2', 'demo-2x', 'dumps', 'memory'])
    mkdirSync(join(root, 'backups', name), { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function spec(instances: number, kind = 'members'): ClusterSpec {
  return { name: 'demo', instances, backup: { repositories: [{ kind }] } } as ClusterSpec;
}

test('the copy of a member that has gone is set aside for a week, and nothing else', async () => {
  expect(await setAsideCopies(spec(2), paths, NOW)).toHaveLength(1);
  expect(readdirSync(join(root, 'backups'))).toEqual(['demo-0', 'demo-1', 'demo-2x', 'dumps', 'memory']);
  expect(await listAside(paths)).toEqual([
    {
      path: expect.stringMatching(/backups-demo-2-\d+$/),
      why: 'the copy of demo-2, which was removed',
      keepUntil: '2026-11-29T12:00:00.000Z',
    },
  ]);
  expect(await setAsideCopies(spec(2), paths, NOW)).toEqual([]);
});

test.each([
  ['a cluster that is stopped by its manifest', spec(0)],
  ["a manifest without members' copies", spec(2, 'directory')],
])('%s keeps all of them where they are', async (_, wanted) => {
  expect(await setAsideCopies(wanted, paths, NOW)).toEqual([]);
  expect(existsSync(join(root, 'backups', 'demo-2'))).toBe(true);
});
