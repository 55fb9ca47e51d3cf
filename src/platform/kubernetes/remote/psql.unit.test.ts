import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { Passfiles, psqlArguments } from './psql.ts';

const names = { user: "o'hara", database: 'back\\slash', caFile: '/tmp/ca.crt' };

test('what psql is told survives quotes and backslashes', () => {
  const [program, conninfo] = psqlArguments({ host: 'localhost', port: 5000 }, names);
  expect(program).toBe('psql');
  expect(conninfo).toBe(
    String.raw`host='localhost' hostaddr='127.0.0.1' port='5000' user='o\'hara' dbname='back\\slash' sslmode='verify-full' sslrootcert='/tmp/ca.crt'`,
  );
});

test('a certificate that does not bear the name is held to its authority only', () => {
  const [, conninfo] = psqlArguments({ host: 'localhost', port: 5000, unnamed: true }, names);
  expect(conninfo).toContain("sslmode='verify-ca'");
});

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
