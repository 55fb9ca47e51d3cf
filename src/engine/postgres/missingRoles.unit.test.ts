import { expect, test } from 'vitest';
import { missingRoles } from './missingRoles.ts';

const GLOBALS = `--
SET client_encoding = 'UTF8';
CREATE ROLE bauer;
ALTER ROLE bauer WITH NOSUPERUSER INHERIT LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
CREATE ROLE "Die ""Leser""";
ALTER ROLE "Die ""Leser""" WITH NOLOGIN;
ALTER ROLE bauer SET search_path TO 'x';
GRANT "Die ""Leser""" TO bauer GRANTED BY postgres;
GRANT bauer TO "Die ""Leser""";
`;

test('roles that are not there are made as they were', () => {
  expect(missingRoles(GLOBALS, ['postgres', 'Die "Leser"'])).toEqual([
    'CREATE ROLE bauer;',
    "ALTER ROLE bauer WITH NOSUPERUSER INHERIT LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b';",
    "ALTER ROLE bauer SET search_path TO 'x';",
    'GRANT "Die ""Leser""" TO bauer GRANTED BY postgres;',
  ]);
});

test('those that exist keep their passwords', () => {
  expect(missingRoles(GLOBALS, ['postgres', 'Die "Leser"', 'bauer'])).toEqual([]);
});
