import { expect, test } from 'vitest';
import { psqlArguments } from './psql.ts';

const names = { user: "o'hara", database: 'back\\slash', caFile: '/tmp/ca.crt' };

test('what psql is told survives quotes and backslashes', () => {
  const target = { host: 'localhost', hostaddr: '127.0.0.1', port: 5000 };
  expect(psqlArguments('psql', target, names)).toEqual([
    'psql',
    String.raw`host='localhost' hostaddr='127.0.0.1' port='5000' user='o\'hara' dbname='back\\slash' sslmode='verify-full' sslrootcert='/tmp/ca.crt'`,
  ]);
});

test('a certificate that does not bear the name is held to its authority only', () => {
  const [, words] = psqlArguments('psql', { host: 'localhost', port: 5000, unnamed: true }, names);
  expect(words).toContain("sslmode='verify-ca'");
});
