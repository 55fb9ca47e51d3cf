import { describe, expect, it } from 'vitest';
import { errorsOf, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

function findings(lines: string, options: Parameters<typeof manifestWith>[1] = {}): string[] {
  return findingsOf(manifestWith(lines, options)).filter(found => !found.endsWith('volume.size'));
}

const patroni = (text: string) => `patroni: { ${text} }`;

describe('patroni', () => {
  it('leaves to the platform what is 0 or absent', () => {
    const expected = {
      ttl: undefined,
      loopWait: undefined,
      retryTimeout: undefined,
      maximumLagOnFailover: 33_554_432,
      failsafeMode: undefined,
      pgHba: undefined,
    };
    expect(specOf(manifestWith()).patroni).toMatchObject(expected);
    expect(
      specOf(
        manifestWith(
          patroni('ttl: 0, loop_wait: 0, retry_timeout: 0, maximum_lag_on_failover: 0, pg_hba: []'),
        ),
      ).patroni,
    ).toMatchObject(expected);
  });

  it.each([
    ['loop_wait: 10, retry_timeout: 5', undefined],
    ['loop_wait: 10, retry_timeout: 10', 30],
    ['loop_wait: 30', 36],
    ['ttl: 40, loop_wait: 10, retry_timeout: 10', 40],
  ])('makes the lease long enough for the other times: %s', (text, ttl) => {
    expect(specOf(manifestWith(patroni(text))).patroni.ttl).toBe(ttl);
  });

  it.each([
    ['ttl: 19', ['error out-of-range spec.patroni.ttl']],
    ['retry_timeout: 2', ['error out-of-range spec.patroni.retry_timeout']],
    ['ttl: 20, loop_wait: 10, retry_timeout: 5', []],
    ['ttl: 20, loop_wait: 10, retry_timeout: 6', ['error out-of-range spec.patroni.ttl']],
    ['ttl: 20, retry_timeout: 10', ['error out-of-range spec.patroni.ttl']],
    ['ttl: 20', []],
    ['ttl: 5, loop_wait: 10', ['error out-of-range spec.patroni.ttl']],
  ])('checks the times: %s', (text, expected) => {
    expect(findings(patroni(text))).toEqual(expected);
  });

  it.each([
    [1, '', 'async'],
    [2, '', 'sync'],
    [3, '', 'sync'],
    [3, 'synchronous_mode: false', 'async'],
    [3, 'synchronous_mode: true', 'sync'],
    [3, 'synchronous_mode: true, synchronous_mode_strict: true', 'strict'],
    [3, 'synchronous_mode_strict: true', 'strict'],
    [3, 'synchronous_mode_strict: false', 'sync'],
    [2, 'synchronous_mode: false, synchronous_mode_strict: false', 'async'],
    [0, 'synchronous_mode_strict: true', 'strict'],
  ])('with %i instances and { %s } the mode is %s', (instances, text, mode) => {
    expect(specOf(manifestWith(patroni(text), { instances })).patroni.synchronousMode).toBe(mode);
  });

  it.each([
    [1, 'synchronous_mode_strict: true', ['error too-few-instances spec.patroni.synchronous_mode_strict']],
    [2, 'synchronous_mode_strict: true', []],
    [
      2,
      'synchronous_mode_strict: true, synchronous_node_count: 2',
      ['error too-few-instances spec.patroni.synchronous_mode_strict'],
    ],
    [3, 'synchronous_mode_strict: true, synchronous_node_count: 2', []],
    [
      3,
      'synchronous_mode: false, synchronous_mode_strict: true',
      ['error contradiction spec.patroni.synchronous_mode_strict'],
    ],
    [3, 'synchronous_node_count: 0', ['error out-of-range spec.patroni.synchronous_node_count']],
    [3, 'synchronous_node_count: 3', ['warning too-few-instances spec.patroni.synchronous_node_count']],
    [1, 'synchronous_mode: true', ['warning too-few-instances spec.patroni.synchronous_mode']],
    [1, 'synchronous_mode: false, synchronous_node_count: 5', []],
  ])('with %i instances judges { %s }', (instances, text, expected) => {
    expect(findings(patroni(text), { instances })).toEqual(expected);
  });

  it('judges the mode only when the number of instances is known', () => {
    expect(findings(patroni('synchronous_mode_strict: true'), { instances: -1 })).toEqual([
      'error out-of-range spec.numberOfInstances',
    ]);
  });

  it.each([
    ['encoding: UTF8, locale: C.UTF-8, data-checksums: "true", wal-segsize: "64"', []],
    ['enconding: UTF8', ['error unknown-field spec.patroni.initdb.enconding']],
    ['pgdata: /tmp', ['error option-set-by-pgherd spec.patroni.initdb.pgdata']],
    ['data-checksums: "false"', ['error option-set-by-pgherd spec.patroni.initdb.data-checksums']],
    ['no-locale: maybe', ['error wrong-value spec.patroni.initdb.no-locale']],
    ['locale: "--version"', ['error wrong-value spec.patroni.initdb.locale']],
  ])('checks initdb { %s }', (text, expected) => {
    expect(findings(patroni(`initdb: { ${text} }`))).toEqual(expected);
  });

  it.each([
    ['a: { type: physical }, b: { type: logical, database: x, plugin: pgoutput }, c: {}', []],
    ['A: {}', ['error wrong-name spec.patroni.slots.A']],
    ['herd_0: {}', ['error protected-name spec.patroni.slots.herd_0']],
    ['herd_events: {}', []],
    [
      'a: { type: logical }',
      [
        'error missing-field spec.patroni.slots.a.database',
        'error missing-field spec.patroni.slots.a.plugin',
      ],
    ],
    ['a: { plugin: pgoutput }', ['error missing-field spec.patroni.slots.a.database']],
    ['a: { database: x }', ['error missing-field spec.patroni.slots.a.plugin']],
    ['a: { type: logicl }', ['error unknown-value spec.patroni.slots.a.type']],
    ['a: { typ: logical }', ['error unknown-field spec.patroni.slots.a.typ']],
  ])('checks slots { %s }', (text, expected) => {
    expect(findings(patroni(`slots: { ${text} }`))).toEqual(expected);
  });
});

describe('lines of pg_hba', () => {
  it.each([
    'hostssl all all 10.0.0.0/8 scram-sha-256',
    'local all all peer map=admins',
    'hostssl all +humans ::/0 pam pamservice=postgresql',
    'hostssl "my db",other  "a b" samenet md5 # why',
    'hostssl a, b all all scram-sha-256',
    'hostssl all all 10.0.0.0 255.0.0.0 cert clientcert=verify-full',
    'hostssl all all .example.com ldap ldapserver="a b" ldapport=389',
    'hostnossl all all all reject',
    '# a comment',
    '',
  ])('takes %j', line => {
    expect(findings(patroni(`pg_hba: [${JSON.stringify(line)}]`))).toEqual([]);
  });

  it.each([
    ['hostsl all all all md5', 'did you mean hostssl?'],
    ['all all all md5', 'begin it with'],
    ['hostssl all all', 'hostssl DATABASE USER ADDRESS METHOD'],
    ['local all', 'local DATABASE USER METHOD'],
    ['hostssl all all md5', 'ADDRESS may be all'],
    ['hostssl all all all', 'scram-sha-256'],
    ['hostssl all all 10.0.0.1 md5', '10.0.0.1/32'],
    ['hostssl all all 10.0.0.0/33 md5', 'a network like'],
    ['hostssl all all all scram', 'scram-sha-256'],
    ['hostssl all all all md5 quickly', 'name=value'],
    ['hostssl "all all all md5', 'close it'],
    ['include other.conf', 'here'],
    ['hostssl @list all all md5', 'here'],
    ['hostssl all all all md5\nlocal all all trust', 'one entry per line'],
  ])('refuses %j', (line, hint) => {
    const errors = errorsOf(manifestWith(patroni(`pg_hba: [${JSON.stringify(line)}]`)));
    expect(errors.map(error => `${error.code} ${error.path}`)).toEqual([
      'wrong-hba-line spec.patroni.pg_hba[0]',
    ]);
    expect(errors[0]?.hint).toContain(hint);
  });

  it.each(['hostssl all all all trust', 'host all all all md5', 'hostnossl all all all scram-sha-256'])(
    'warns of %j',
    line => {
      expect(findings(patroni(`pg_hba: ["${line}"]`))).toEqual([
        'warning risky-value spec.patroni.pg_hba[0]',
      ]);
    },
  );
});
