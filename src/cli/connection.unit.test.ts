import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSpec } from '../core/plan/testing/fixture.ts';
import {
  type Connection,
  defaultLogin,
  exportLines,
  jdbcUrl,
  libpqEnvironment,
  libpqUri,
} from './connection.ts';
import { UsageError } from './usage.ts';

const connection: Connection = {
  host: '127.1.2.1',
  port: 6432,
  user: 'bauer',
  password: 'p@ss/w:rd?&=% #',
  database: 'firmendaten',
  caFile: '/state/my clusters/ca.crt',
  sslmode: 'verify-full',
  transactionPooling: true,
};

describe('libpqUri', () => {
  it('is one URI with everything a client needs', () => {
    expect(libpqUri(connection)).toBe(
      'postgresql://bauer:p%40ss%2Fw%3Ard%3F%26%3D%25%20%23@127.1.2.1:6432/firmendaten?sslmode=verify-full&sslrootcert=/state/my%20clusters/ca.crt',
    );
  });

  it('leaves the password out when there is none', () => {
    expect(libpqUri({ ...connection, password: undefined })).toMatch(/^postgresql:\/\/bauer@127/);
  });

  it('puts IPv6 into brackets', () => {
    expect(libpqUri({ ...connection, host: 'fd00::1' })).toContain('@[fd00::1]:6432/');
  });

  it('gives every part back to a parser of URIs, whatever it is made of', () => {
    // A path of dots alone is taken for a step upwards by URL, which libpq does not do.
    const word = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter(text => !text.includes('\0') && !/^\.+$/.test(text));
    fc.assert(
      fc.property(word, word, word, (user, password, database) => {
        const url = new URL(libpqUri({ ...connection, user, password, database, caFile: `/${database}` }));
        expect(decodeURIComponent(url.username)).toBe(user);
        expect(decodeURIComponent(url.password)).toBe(password);
        expect(decodeURIComponent(url.pathname.slice(1))).toBe(database);
        expect(url.searchParams.get('sslrootcert')).toBe(`/${database}`);
      }),
    );
  });
});

describe('jdbcUrl', () => {
  it('switches named statements off behind a pooler of transactions', () => {
    expect(jdbcUrl(connection)).toMatch(
      /^jdbc:postgresql:\/\/127\.1\.2\.1:6432\/firmendaten\?user=bauer&password=.*&prepareThreshold=0$/,
    );
    expect(jdbcUrl({ ...connection, transactionPooling: false, password: undefined })).not.toMatch(
      /prepareThreshold|password/,
    );
  });
});

describe('exportLines', () => {
  it('survives a shell', () => {
    const lines = exportLines(libpqEnvironment({ ...connection, password: "it's" })).split('\n');
    expect(lines).toContain("export PGPASSWORD='it'\\''s'");
    expect(lines).toContain('export PGSSLMODE=verify-full');
  });
});

describe('defaultLogin', () => {
  const login = {
    superuser: false,
    inherit: true,
    login: true,
    createrole: false,
    createdb: false,
    replication: false,
    bypassrls: false,
  };
  const spec = makeSpec({
    users: [
      { name: 'anna', flags: login },
      { name: 'bauer', flags: login },
      { name: 'group', flags: { ...login, login: false } },
    ],
    databases: [
      { name: 'grouped', owner: 'group' },
      { name: 'firmendaten', owner: 'bauer' },
      { name: 'second', owner: 'anna' },
    ],
    preparedDatabases: [{ name: 'prepared', defaultUsers: true, extensions: {}, schemas: [] }],
  });

  it('takes the first database whose owner may log in', () => {
    expect(defaultLogin(spec, {})).toEqual({ user: 'bauer', database: 'firmendaten' });
  });

  it('takes the owner of a database that is named', () => {
    expect(defaultLogin(spec, { database: 'second' })).toEqual({ user: 'anna', database: 'second' });
    expect(defaultLogin(spec, { database: 'prepared' })).toEqual({
      user: 'prepared_owner_user',
      database: 'prepared',
    });
    expect(defaultLogin(spec, { database: 'grouped' })).toEqual({ user: 'anna', database: 'grouped' });
  });

  it('takes a database of the user who is named', () => {
    expect(defaultLogin(spec, { user: 'anna' })).toEqual({ user: 'anna', database: 'second' });
    expect(defaultLogin(spec, { user: 'postgres' })).toEqual({ user: 'postgres', database: 'firmendaten' });
  });

  it('asks for a user where the manifest has none', () => {
    expect(() => defaultLogin(makeSpec(), {})).toThrow(UsageError);
    expect(defaultLogin(makeSpec(), { user: 'postgres' })).toEqual({
      user: 'postgres',
      database: 'postgres',
    });
  });
});
