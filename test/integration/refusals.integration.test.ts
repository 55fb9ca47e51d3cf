import { existsSync } from 'node:fs';
/** What pgherd declines: one clear error, a remedy, and nothing half done. */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { integration } from '../support/sandbox.ts';
import { existingTests } from './refusals/existing.ts';
import { machineTests } from './refusals/machine.ts';
import { expectNothing } from './refusals/nothing.ts';

integration('refusals', sandbox => {
  machineTests(sandbox);

  describe('of options', () => {
    it.each(['0.0.0.0', '203.0.113.7', 'localhost', '::'])(
      '--listen %s: not one of this machine',
      async address => {
        const file = sandbox.file('listen.yaml', manifest({ name: 'klein' }));
        const { exitCode, error } = await sandbox.failure(['up', file, '--listen', address]);
        expect(exitCode).toBe(2);
        expect(error.message).toContain(address);
        const own = Object.values(networkInterfaces())
          .flatMap(list => list ?? [])
          .filter(entry => entry.family === 'IPv4' && !entry.internal)
          .map(entry => entry.address);
        for (const one of own) expect(`${error.detail} ${error.hint}`).toContain(one);
        expectNothing(sandbox);
      },
    );

    it('--strict-version where the machine has another major', async ctx => {
      const file = join(ROOT, 'examples', 'wichtige-daten-3.yaml');
      if (existsSync('/usr/lib/postgresql/16')) return ctx.skip('this machine has the wanted PostgreSQL 16');
      const { error, exitCode } = await sandbox.failure(['up', file, '--strict-version']);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'version-not-available' });
      expect(error.message).toContain('16');
      expect(error.hint).toContain('--strict-version');
      expectNothing(sandbox);
    });
  });

  describe('of manifests', () => {
    it('that are wrong: all errors at once, each with line, column and remedy', async () => {
      const text = `apiVersion: acid.zalan.do/v1
kind: postgresql
metadata:
  name: Falsch_Name
spec:
  teamId: acid
  numberOfInstances: -1
  postgresql:
    version: 15
  volume: {size: viel}
  databases:
    firmendaten: niemand
  users:
    bauer: [superuserr]
`;
      const file = sandbox.file('falsch.yaml', text);
      const { exitCode, error } = await sandbox.failure(['up', file]);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'manifest-invalid' });
      const errors = (error.diagnostics ?? []).filter(one => one.severity === 'error');
      expect(errors.map(one => one.line)).toEqual(expect.arrayContaining([4, 7, 10, 14]));
      for (const one of errors) {
        expect(one.hint, one.message).not.toBe('');
        expect(text.split('\n')[one.line - 1]?.length).toBeGreaterThanOrEqual(one.column - 1);
      }
      const plain = await sandbox.run(['up', file]);
      expect(plain.exitCode).toBe(2);
      for (const { line, column } of errors) expect(plain.stderr).toContain(`falsch.yaml:${line}:${column}`);
      expectNothing(sandbox);
    });

    it.each([
      ['nothing', ''],
      ['no YAML', 'a: [1,\nb: {'],
      ['something else', 'kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n'],
      ['a list', '- 1\n- 2\n'],
      ['bytes', '\u0000\u0001\u0002'],
    ])('that hold %s', async (_what, text) => {
      const { exitCode, error } = await sandbox.failure(['up', '-'], { input: text });
      expect(exitCode).toBe(2);
      expect(error.code).not.toBe('defect');
      expect(error.message.length).toBeGreaterThan(10);
      expectNothing(sandbox);
    });

    it('that do not exist', async () => {
      const { exitCode, error } = await sandbox.failure(['up', '/no/such/manifest.yaml']);
      expect(exitCode).toBeGreaterThan(0);
      expect(error.message).toContain('/no/such/manifest.yaml');
      expect(error.code).not.toBe('defect');
    });
  });

  describe('of names', () => {
    it.each([['status'], ['down'], ['url'], ['logs'], ['events'], ['switchover'], ['restart'], ['topology']])(
      '%s of a cluster that does not exist',
      async command => {
        const { exitCode, error } = await sandbox.failure([command, 'nirgends']);
        expect(exitCode).toBeGreaterThan(0);
        expect(error.code).toBe('cluster-not-found');
        expect(error.hint).toContain('pgherd up');
        expectNothing(sandbox);
      },
    );

    it('a command or an option that does not exist, with what may have been meant', async () => {
      const command = await sandbox.failure(['statsu']);
      expect(command).toMatchObject({ exitCode: 2, error: { code: 'usage' } });
      expect(command.error.hint).toContain('status');
      const option = await sandbox.failure(['up', 'x.yaml', '--prot', '5433']);
      expect(option).toMatchObject({ exitCode: 2, error: { code: 'usage' } });
      expect(option.error.hint).toContain('--port');
      for (const port of ['0', '65536', 'abc', '64900.5']) {
        expect((await sandbox.failure(['up', 'x.yaml', '--port', port])).exitCode, port).toBe(2);
      }
    });
  });

  existingTests(sandbox);
});
