import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { Passfiles } from './passfiles.ts';

test('a password file is for its owner only, and goes', () => {
  let path: string;
  {
    using files = new Passfiles();
    path = files.write('a:b', String.raw`p\w:d`);
    expect(readFileSync(path, 'utf8')).toBe(`*:*:*:${String.raw`a\:b:p\\w\:d`}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(files.write('c', 'd')).not.toBe(path);
  }
  expect(statSync(dirname(path), { throwIfNoEntry: false })).toBeUndefined();
});
