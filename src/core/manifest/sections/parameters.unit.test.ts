import { describe, expect, it } from 'vitest';
import { all, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';
import { parseManifest } from '../parse.ts';
import { ownedParameters } from './ownedParameters.ts';

function findings(lines: string): string[] {
  return findingsOf(manifestWith(lines)).filter(found => !found.endsWith('volume.size'));
}

const parameters = (text: string) => `postgresql: { version: "16", parameters: { ${text} } }`;

describe('parameters', () => {
  it('keeps values exactly as written', () => {
    expect(
      specOf(manifestWith(parameters('work_mem: "4MB", jit: "off", auto_explain.log_min_duration: "1.50"')))
        .parameters,
    ).toEqual({
      work_mem: '4MB',
      jit: 'off',
      'auto_explain.log_min_duration': '1.50',
    });
  });

  it('spells names as PostgreSQL does', () => {
    const written =
      'Work_Mem: "4MB", TIMEZONE: "UTC", datestyle: "ISO", Auto_Explain.Log_Nested_Statements: "on"';
    expect(Object.keys(specOf(manifestWith(parameters(written))).parameters)).toEqual([
      'work_mem',
      'TimeZone',
      'DateStyle',
      'auto_explain.log_nested_statements',
    ]);
  });

  it('takes unquoted numbers and booleans as typed, with a warning that names the line', () => {
    const text = manifestWith(
      'postgresql:\n  version: "16"\n  parameters:\n    max_connections: 200\n    random_page_cost: 1.10\n    jit: off\n    autovacuum: true',
    );
    expect(specOf(text).parameters).toEqual({
      max_connections: '200',
      random_page_cost: '1.10',
      jit: 'off',
      autovacuum: 'true',
    });
    const warnings = all(parseManifest(text)).filter(found => found.code !== 'not-supported-locally');
    expect(warnings.map(found => `${found.code} ${found.line}:${found.column}`)).toEqual([
      'unquoted-value 11:24',
      'unquoted-value 12:25',
      'unquoted-value 13:12',
      'unquoted-value 14:19',
    ]);
  });

  it.each([...ownedParameters])('%s is not the manifest’s to set', (name, owned) => {
    const code = `parameter-set-by-pgherd spec.postgresql.parameters.${name}`;
    expect(findings(parameters(`${name}: "some value"`))).toEqual([
      `${owned.setAside ? 'warning' : 'error'} ${code}`,
    ]);
    for (const value of owned.inForce ?? []) {
      const text = manifestWith(parameters(`${name}: "${value.toUpperCase()}"`));
      expect(findings(parameters(`${name}: "${value}"`))).toEqual([`warning ${code}`]);
      expect(specOf(text).parameters).toEqual({});
    }
  });

  it.each([
    ['LISTEN_ADDRESSES: "*"', ['error parameter-set-by-pgherd spec.postgresql.parameters.LISTEN_ADDRESSES']],
    ['wal_level: minimal', ['error wrong-value spec.postgresql.parameters.wal_level']],
    ['wal_level: logical', []],
    ['fsync: "off"', ['warning risky-value spec.postgresql.parameters.fsync']],
    ['synchronous_commit: "local"', ['warning risky-value spec.postgresql.parameters.synchronous_commit']],
    ['synchronous_commit: "remote_apply"', []],
    ['work_mem: "1MB", WORK_MEM: "2MB"', ['error duplicate-key spec.postgresql.parameters.WORK_MEM']],
    [
      'work_mem: "1MB", WORK_MEM: "2MB", Work_Mem: "3MB"',
      [
        'error duplicate-key spec.postgresql.parameters.WORK_MEM',
        'error duplicate-key spec.postgresql.parameters.Work_Mem',
      ],
    ],
    ['"work mem": "1MB"', ['error wrong-name spec.postgresql.parameters["work mem"]']],
    ['"a\\nport": "1"', ['error wrong-name spec.postgresql.parameters["a\\nport"]']],
    ['work_mem: "1MB\\nport = 1"', ['error wrong-value spec.postgresql.parameters.work_mem']],
    ['work_mem: ', ['error missing-field spec.postgresql.parameters.work_mem']],
    ['work_mem: [1]', ['error wrong-type spec.postgresql.parameters.work_mem']],
    ['max_wal_senders: "3"', ['error out-of-range spec.postgresql.parameters.max_wal_senders']],
    ['max_wal_senders: "4"', []],
    ['max_replication_slots: "1"', ['error out-of-range spec.postgresql.parameters.max_replication_slots']],
  ])('%s', (text, expected) => {
    expect(findings(parameters(text))).toEqual(expected);
  });
});
