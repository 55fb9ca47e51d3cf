import { describe, expect, it } from 'vitest';
import { errorsOf, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

const plain = {
  superuser: false,
  inherit: true,
  login: true,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

function errors(lines: string, name = 'herd'): string[] {
  return errorsOf(manifestWith(lines, { name })).map(error => `${error.code} ${error.path}`);
}

describe('users', () => {
  it.each([
    ['', {}],
    ['createdb', { createdb: true }],
    ['CREATEDB, SuperUser', { createdb: true, superuser: true }],
    ['nologin', { login: false }],
    ['NOINHERIT, noLogin, NOCREATEDB', { inherit: false, login: false }],
    ['replication, bypassrls, createrole', { replication: true, bypassrls: true, createrole: true }],
    ['createdb, CREATEDB', { createdb: true }],
  ])('reads flags in any case: [%s]', (flags, expected) => {
    expect(specOf(manifestWith(`users: { a: [${flags}] }`)).users).toEqual([
      { name: 'a', flags: { ...plain, ...expected } },
    ]);
  });

  it('takes a user without flags, however that is written', () => {
    expect(specOf(manifestWith('users: { a: , b: [], c: ~ }')).users.map(user => user.flags)).toEqual([
      plain,
      plain,
      plain,
    ]);
  });

  it.each([
    ['users: { a: [creatdb] }', ['unknown-value spec.users.a[0]']],
    ['users: { a: [login, nologin] }', ['contradiction spec.users.a[1]']],
    ['users: { a: [noLOGIN, createdb, LOGIN] }', ['contradiction spec.users.a[2]']],
    ['users: { Bauer: [] }', ['wrong-name spec.users.Bauer']],
    [
      'users: { "-a": [], "a-": [], "a..b": [], "": [], "a b": [] }',
      [
        'wrong-name spec.users.-a',
        'wrong-name spec.users.a-',
        'wrong-name spec.users["a..b"]',
        'wrong-name spec.users[""]',
        'wrong-name spec.users["a b"]',
      ],
    ],
    ['users: { postgres: [] }', ['protected-name spec.users.postgres']],
    ['users: { standby: [] }', ['protected-name spec.users.standby']],
    ['users: { admin: [] }', ['protected-name spec.users.admin']],
    ['users: { pooler: [] }', ['protected-name spec.users.pooler']],
    ['users: { pg_monitor: [] }', ['protected-name spec.users.pg_monitor']],
    ['users: { public: [] }', ['protected-name spec.users.public']],
    ['users: { a_b: [], a-b: [] }', ['duplicate-name spec.users.a-b']],
    [`users: { ${'a'.repeat(64)}: [] }`, [`name-too-long spec.users.${'a'.repeat(64)}`]],
  ])('refuses %s', (lines, expected) => {
    expect(errors(lines)).toEqual(expected);
  });

  it.each(['a', 'a_b', 'a-b', '0a', 'shop.reader', 'a'.repeat(63)])('takes the name %s', name => {
    expect(errors(`users: { ${name}: [] }`)).toEqual([]);
  });
});

describe('databases', () => {
  it.each([
    ['users: { a: [] }\ndatabases: { x: a, Y_1: a, a-b: postgres }', []],
    ['preparedDatabases: { x: {} }\ndatabases: { y: x_owner }', []],
    ['preparedDatabases: { x: { defaultUsers: true } }\ndatabases: { y: x_writer_user }', []],
    ['databases: { x: a }', ['unknown-owner spec.databases.x']],
    [
      'users: { a: [oops] }\ndatabases: { x: b }',
      ['unknown-value spec.users.a[0]', 'unknown-owner spec.databases.x'],
    ],
    // The roles are unknown only because they could not be read.
    ['users: [a]\ndatabases: { x: a }', ['wrong-type spec.users']],
    ['databases: { postgres: postgres }', ['protected-name spec.databases.postgres']],
    ['databases: { template1: postgres }', ['protected-name spec.databases.template1']],
    ['databases: { pgbouncer: postgres }', ['protected-name spec.databases.pgbouncer']],
    ['databases: { "1a": postgres }', ['wrong-name spec.databases.1a']],
    ['databases: { "a;b": postgres }', ['wrong-name spec.databases["a;b"]']],
    [`databases: { ${'d'.repeat(64)}: postgres }`, [`name-too-long spec.databases.${'d'.repeat(64)}`]],
    ['preparedDatabases: { x: {} }\ndatabases: { x: postgres }', ['duplicate-name spec.databases.x']],
  ])('%s', (lines, expected) => {
    expect(errors(lines)).toEqual(expected);
  });

  it('names the owner that was probably meant', () => {
    const [error] = errorsOf(manifestWith('users: { bauer: [] }\ndatabases: { x: baur }'));
    expect(error).toMatchObject({ line: 10, column: 19 });
    expect(error?.hint).toBe('did you mean bauer? Otherwise add `baur: []` below users');
  });
});

describe('prepared databases', () => {
  const data = { name: 'data', defaultRoles: true, defaultUsers: false };

  it('makes one named like the cluster of an empty map, and none of an empty value', () => {
    expect(specOf(manifestWith('preparedDatabases: {}', { name: 'my-big-herd' })).preparedDatabases).toEqual([
      { name: 'my_big_herd', defaultUsers: false, extensions: {}, schemas: [data] },
    ]);
    expect(specOf(manifestWith('preparedDatabases:')).preparedDatabases).toEqual([]);
  });

  it('gives a database without schemas the schema data', () => {
    for (const body of ['', '{}', '{ schemas: {} }', '{ schemas: }']) {
      expect(specOf(manifestWith(`preparedDatabases: { x: ${body} }`)).preparedDatabases).toEqual([
        { name: 'x', defaultUsers: false, extensions: {}, schemas: [data] },
      ]);
    }
  });

  it('reads schemas, users and extensions', () => {
    const lines =
      'preparedDatabases: { x: { defaultUsers: true, extensions: { pg_trgm: s }, schemas: { s: { defaultUsers: true }, t: , u: { defaultRoles: false } } } }';
    expect(specOf(manifestWith(lines)).preparedDatabases).toEqual([
      {
        name: 'x',
        defaultUsers: true,
        extensions: { pg_trgm: 's' },
        schemas: [
          { name: 's', defaultRoles: true, defaultUsers: true },
          { name: 't', defaultRoles: true, defaultUsers: false },
          { name: 'u', defaultRoles: false, defaultUsers: false },
        ],
      },
    ]);
  });

  it.each([
    ['preparedDatabases: { template0: {} }', ['error protected-name spec.preparedDatabases.template0']],
    [
      'preparedDatabases: { x: { schemas: { pg_x: {} } } }',
      ['error wrong-name spec.preparedDatabases.x.schemas.pg_x'],
    ],
    [
      'preparedDatabases: { x: { schemas: { "a b": {} } } }',
      ['error wrong-name spec.preparedDatabases.x.schemas["a b"]'],
    ],
    [
      'preparedDatabases: { x: { extensions: { "a b": public } } }',
      ['error wrong-name spec.preparedDatabases.x.extensions["a b"]'],
    ],
    [
      'preparedDatabases: { x: { extensions: { a: other } } }',
      ['warning unknown-schema spec.preparedDatabases.x.extensions.a'],
    ],
    ['preparedDatabases: { x: { extensions: { a: public, b: data } } }', []],
    [
      'preparedDatabases: { x: { schemas: { s: { defaultRoles: false, defaultUsers: true } } } }',
      ['warning no-effect spec.preparedDatabases.x.schemas.s.defaultUsers'],
    ],
    [
      'users: { x_owner: [] }\npreparedDatabases: { x: {} }',
      ['error duplicate-name spec.preparedDatabases.x'],
    ],
    [
      'users: { x-owner-user: [] }\npreparedDatabases: { x: { defaultUsers: true } }',
      ['error duplicate-name spec.preparedDatabases.x'],
    ],
    [
      'preparedDatabases: { a: { schemas: { b: {} } }, a_b: {} }',
      ['error duplicate-name spec.preparedDatabases.a_b'],
    ],
  ])('%s', (lines, expected) => {
    expect(findingsOf(manifestWith(lines)).filter(found => !found.endsWith('volume.size'))).toEqual(expected);
  });

  it('measures the roles that come with a database', () => {
    const name = 'd'.repeat(50);
    expect(errors(`preparedDatabases: { ${name}: { schemas: { sales: { defaultRoles: false } } } }`)).toEqual(
      [],
    );
    expect(
      new Set(errors(`preparedDatabases: { ${name}: { schemas: { sales: { defaultUsers: true } } } }`)),
    ).toEqual(new Set([`name-too-long spec.preparedDatabases.${name}.schemas.sales`]));
  });
});

describe('poolers', () => {
  it.each([
    ['', false, false],
    ['connectionPooler: {}', true, false],
    ['connectionPooler:', false, false],
    ['enableConnectionPooler: true', true, false],
    ['enableConnectionPooler: false\nconnectionPooler: {}', false, false],
    ['enableReplicaConnectionPooler: true', false, true],
    ['enableReplicaConnectionPooler: true\nconnectionPooler: {}', true, true],
  ])('are switched on by what is written: %j', (lines, primary, standby) => {
    expect(specOf(manifestWith(lines)).pooler).toMatchObject({ primary, standby });
  });

  it('have the defaults of the format', () => {
    expect(specOf(manifestWith('connectionPooler: {}')).pooler).toEqual({
      primary: true,
      standby: false,
      instances: 2,
      mode: 'transaction',
      schema: 'pooler',
      user: 'pooler',
      maxDbConnections: 60,
      resources: {
        requests: { cpuMillis: 500, memoryBytes: 100 * 2 ** 20 },
        limits: { cpuMillis: 1000, memoryBytes: 100 * 2 ** 20 },
      },
    });
  });

  it.each([
    ['connectionPooler: { user: postgres }', ['error protected-name spec.connectionPooler.user']],
    ['connectionPooler: { user: pg_pool }', ['error protected-name spec.connectionPooler.user']],
    ['connectionPooler: { user: "A b" }', ['error wrong-name spec.connectionPooler.user']],
    ['connectionPooler: { schema: pg_x }', ['error wrong-name spec.connectionPooler.schema']],
    [
      'users: { bouncer: [] }\nconnectionPooler: { user: bouncer }',
      ['error protected-name spec.users.bouncer'],
    ],
    ['users: { pooler: [] }\nconnectionPooler: { user: bouncer }', []],
    [
      'connectionPooler: { maxDBConnections: 1 }',
      ['error out-of-range spec.connectionPooler.maxDBConnections'],
    ],
    [
      'connectionPooler: { numberOfInstances: 61 }',
      ['error out-of-range spec.connectionPooler.numberOfInstances'],
    ],
    [
      'connectionPooler: {}\npostgresql: { version: "16", parameters: { max_connections: "50" } }',
      ['warning too-few-connections spec.postgresql.parameters.max_connections'],
    ],
    ['connectionPooler: {}\npostgresql: { version: "16", parameters: { max_connections: "63" } }', []],
    ['postgresql: { version: "16", parameters: { max_connections: "50" } }', []],
  ])('%s', (lines, expected) => {
    expect(findingsOf(manifestWith(lines)).filter(found => !found.endsWith('volume.size'))).toEqual(expected);
  });

  it('point at what was written: a key, or a value', () => {
    expect(errorsOf(manifestWith('users: { Bauer: [createdb] }'))).toMatchObject([{ line: 9, column: 12 }]);
    expect(errorsOf(manifestWith('connectionPooler: { user: A }'))).toMatchObject([{ line: 9, column: 29 }]);
    expect(errorsOf(manifestWith('databases: { "1": postgres }'))).toMatchObject([{ line: 9, column: 16 }]);
  });
});
