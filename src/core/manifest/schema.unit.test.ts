import { describe, expect, it } from 'vitest';
import { all, errorsOf, findingsOf, manifestWith, specOf } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';
import { manifestSchema } from './schema.ts';
import { fieldsOf } from './schemaWalk.ts';

function only(text: string) {
  const errors = errorsOf(text);
  expect(errors.map(error => error.message)).toHaveLength(1);
  return errors[0];
}

describe('the shape of a manifest', () => {
  it('describes every field that it names', () => {
    const silent = fieldsOf(manifestSchema).filter(field => field.about === '');
    expect(silent.map(field => field.path)).toEqual([]);
  });

  it('says once what it is when it is something else', () => {
    expect(findingsOf('kind: Deployment\napiVersion: apps/v1\nspec: { replicas: 1 }\n')).toEqual([
      'error wrong-kind kind',
      'error wrong-kind apiVersion',
    ]);
    expect(findingsOf('- kind: postgresql\n')).toEqual(['error wrong-type (document)']);
    expect(findingsOf('postgresql\n')).toEqual(['error wrong-type (document)']);
    expect(findingsOf('spec: {}\n')).toEqual(['error missing-field apiVersion', 'error missing-field kind']);
  });

  it('names everything that is missing, at the parent', () => {
    const errors = errorsOf(
      'apiVersion: acid.zalan.do/v1\nkind: postgresql\nmetadata: {}\nspec:\n  volume: {}\n',
    );
    expect(errors.map(({ path, line, column }) => `${line}:${column} ${path}`)).toEqual([
      '3:1 metadata.name',
      '4:1 spec.numberOfInstances',
      '4:1 spec.postgresql',
      '5:3 spec.volume.size',
    ]);
    expect(errors.every(error => error.code === 'missing-field' && error.hint.startsWith('add `'))).toBe(
      true,
    );
  });

  it.each([
    ['numberOfInstances: 1', 'databsae: {}', 'did you mean `databases`?'],
    ['', 'parameters: {}', 'it belongs at spec.postgresql.parameters: check the indentation'],
    ['', 'labels: {}', 'it belongs at metadata.labels: check the indentation'],
    ['', 'Users: {}', 'did you mean `users`?'],
    ['', 'backups: {}', 'did you mean `backup`?'],
    ['', 'snapshots: {}', 'delete the line'],
  ])('refuses an unknown key and helps (%s%s)', (_, line, hint) => {
    const error = only(manifestWith(line));
    expect(error).toMatchObject({ code: 'unknown-field', line: 9, column: 3 });
    expect(error?.hint).toContain(hint);
  });

  it.each([
    ['postgresql: { version: 16 }', 'spec.postgresql.version', 'put it in quotes: "16"'],
    ['teamId: 0010', 'spec.teamId', 'put it in quotes: "0010"'],
    ['teamId: no', 'spec.teamId', 'put it in quotes: "no"'],
    ['teamId: 5', 'spec.teamId', 'put it in quotes: "5"'],
    ['enableLogicalBackup: "true"', 'spec.enableLogicalBackup', 'write true or false, without quotes'],
    [
      'connectionPooler: { numberOfInstances: "2" }',
      'spec.connectionPooler.numberOfInstances',
      'remove the quotes: 2',
    ],
    [
      'connectionPooler: { numberOfInstances: 1.5 }',
      'spec.connectionPooler.numberOfInstances',
      'digits only',
    ],
    ['resources: { limits: { cpu: 1 } }', 'spec.resources.limits.cpu', 'put it in quotes: "1"'],
    ['users: [a, b]', 'spec.users', 'write a map of lists of strings: { app: [createdb] }'],
    ['users: { a: createdb }', 'spec.users.a', 'write a list'],
    ['allowedSourceRanges: 10.0.0.0/8', 'spec.allowedSourceRanges', 'write a list: ["10.0.0.0/8"]'],
    ['databases: { a: [postgres] }', 'spec.databases.a', 'write a string'],
    ['env: [{ name: A, value: 5 }]', 'spec.env[0].value', 'put it in quotes: "5"'],
    ['patroni: { initdb: { data-checksums: true } }', 'spec.patroni.initdb.data-checksums', 'quotes: "true"'],
  ])('is strict about types: %s', (line, path, hint) => {
    const error = only(manifestWith(line));
    expect(error).toMatchObject({ code: 'wrong-type', path });
    expect(error?.hint).toContain(hint);
  });

  it.each([
    ['postgresql: { version: "13" }', 'unknown-value', '"14" or "15"'],
    ['postgresql: { version: "16.4" }', 'unknown-value', 'did you mean "16"?'],
    ['connectionPooler: { mode: Transaction }', 'unknown-value', 'did you mean "transaction"?'],
    ['connectionPooler: { numberOfInstances: 0 }', 'out-of-range', 'not below 1'],
    ['patroni: { ttl: -1 }', 'out-of-range', 'not below 0'],
    ['masterNodePort: 70000', 'out-of-range', 'not above 65535'],
  ])('is strict about values: %s', (line, code, hint) => {
    const error = only(manifestWith(line));
    expect(error?.code).toBe(code);
    expect(error?.hint).toContain(hint);
  });

  it('takes an empty value for an absent one', () => {
    const optional = fieldsOf(manifestSchema).filter(
      field => /^spec\.[A-Za-z_]+$/.test(field.path) && !field.required,
    );
    expect(optional.length).toBeGreaterThan(50);
    const text = manifestWith(optional.map(field => `${field.path.slice('spec.'.length)}:`).join('\n'));
    expect(specOf(text)).toEqual(specOf(manifestWith()));
  });

  it('reports an empty value where one is needed', () => {
    expect(only(manifestWith('databases: { a: }'))).toMatchObject({
      code: 'missing-field',
      path: 'spec.databases.a',
    });
    expect(findingsOf(manifestWith('postgresql:\n  version:'))).toContain(
      'error missing-field spec.postgresql.version',
    );
  });

  it('takes the aliases of older manifests, and names the newer word', () => {
    const text = manifestWith(
      'useLoadBalancer: true\nreplicaLoadBalancer: true\ninit_containers: []\npod_priority_class_name: high',
    );
    expect(specOf(text).exposed).toMatchObject({ primary: true, standby: true });
    const deprecated = all(parseManifest(text)).filter(found => found.code === 'deprecated-field');
    expect(deprecated.map(found => `${found.line} ${found.hint}`)).toEqual([
      '9 write enableMasterLoadBalancer',
      '10 write enableReplicaLoadBalancer',
      '11 write initContainers',
      '12 write podPriorityClassName',
    ]);
    expect(findingsOf(manifestWith('useLoadBalancer: true\nenableMasterLoadBalancer: false'))).toContain(
      'error contradiction spec.useLoadBalancer',
    );
  });

  it('lets unknown keys of Kubernetes objects pass, and checks the known ones', () => {
    const text =
      'sidecars: [{ name: a, image: b, restartPolicy: Always, stdin: true }]\ntolerations: [{ key: a, effect: NoSchedul }]';
    expect(findingsOf(manifestWith(text), 'kubernetes')).toEqual([
      'error unknown-value spec.tolerations[0].effect',
    ]);
  });

  it('names errors of shape and of meaning in one run', () => {
    const text = manifestWith(
      'teamId: 5\nusers: { Bauer: [creatdb, 7] }\ndatabases: { a: nobody }\nuser: {}',
    );
    expect(findingsOf(text).filter(found => found.startsWith('error'))).toEqual([
      'error wrong-type spec.teamId',
      'error wrong-name spec.users.Bauer',
      'error wrong-type spec.users.Bauer[1]',
      'error unknown-owner spec.databases.a',
      'error unknown-field spec.user',
    ]);
  });

  it('accepts what Kubernetes adds to an object', () => {
    const text = `${manifestWith()}status: { PostgresClusterStatus: Running }\n`.replace(
      '  name: herd\n',
      '  name: herd\n  uid: 3f0c\n  generation: 4\n  creationTimestamp: "2026-01-01T00:00:00Z"\n  managedFields: [{ manager: kubectl }]\n',
    );
    expect(errorsOf(text)).toEqual([]);
    expect(errorsOf(text, 'kubernetes')).toEqual([]);
  });

  it('lets no escape sequence and no flood of text through to the terminal', () => {
    const odd = '\\e[31m\\u202e';
    const lines = `allowedSourceRanges: ["${odd}"]\n"${odd}": 1\nlogicalBackupRetention: "${'x'.repeat(5000)}"`;
    for (const found of errorsOf(manifestWith(lines))) {
      const text = found.path + found.message + found.hint;
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text.length).toBeLessThan(1300);
    }
    expect(errorsOf(manifestWith(lines))).toHaveLength(3);
  });
});
