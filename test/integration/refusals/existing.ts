/** What is refused to a cluster that exists: it goes on as it was. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListDocument } from '../../../src/cli/schema.ts';
import { Cluster } from '../../support/cluster.ts';
import { manifest } from '../../support/manifest.ts';
import { processesOf } from '../../support/processes.ts';
import type { Sandbox } from '../../support/sandbox.ts';

export function existingTests(sandbox: Sandbox): void {
  const cluster = new Cluster(sandbox, 'klein');
  const login = { user: 'bauer', database: 'firmendaten' };

  describe('by a cluster that runs', () => {
    let file: string;
    beforeAll(async () => {
      file = sandbox.file('klein.yaml', manifest({ name: 'klein' }));
      await cluster.up(file);
    });

    it.each([
      [['switchover', 'klein', '--to', 'klein-9'], 'no-such-member', 'klein-0'],
      [['reinit', 'klein', 'klein-9'], 'no-such-member', 'klein-0'],
      [['restart', 'klein', 'klein-9'], 'no-such-member', 'klein-0'],
      [['password', 'klein', 'niemand'], 'no-such-user', 'bauer'],
      [['url', 'klein', '--endpoint', 'pooler'], 'no-such-endpoint', 'primary'],
      [['reinit', 'klein', 'klein-0'], 'is-primary', 'switchover'],
      [['switchover', 'klein'], 'no-candidate', 'status'],
    ])('%j', async (words, code, hint) => {
      const before = cluster.servers();
      const { exitCode, error } = await sandbox.failure(words);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code });
      expect(error.hint).toContain(hint);
      expect(cluster.servers()).toEqual(before);
    });

    it('another port', async () => {
      const before = cluster.servers();
      const { exitCode, error } = await sandbox.failure(['up', file, '--port', '15999']);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'port-fixed' });
      expect(cluster.servers()).toEqual(before);
    });

    it('another major version of PostgreSQL', async () => {
      const before = cluster.servers();
      const spec = { postgresql: { version: '18' } };
      const { exitCode, error } = await sandbox.failure([
        'up',
        sandbox.file('achtzehn.yaml', manifest({ name: 'klein', spec })),
      ]);
      expect(exitCode).toBe(2);
      expect(error.message).toMatch(/18/);
      expect(cluster.servers()).toEqual(before);
    });

    it('state that cannot be understood: one error, and the servers run on', async () => {
      const record = join(cluster.root, 'cluster.json');
      const text = readFileSync(record, 'utf8');
      const before = cluster.servers().filter(server => server.includes(cluster.root));
      const sql = await cluster.connect('primary', login);
      writeFileSync(record, text.slice(0, 100));
      try {
        for (const words of [
          ['status', 'klein'],
          ['up', file],
          ['down', 'klein'],
        ]) {
          const { error } = await sandbox.failure(words);
          expect(error.code, words.join(' ')).toBe('state-unreadable');
          expect(error.message).toContain(record);
          expect(error.hint).not.toBe(null);
        }
        expect(cluster.servers().filter(server => server.includes(cluster.root))).toEqual(before);
        expect(await sql.value('SELECT current_user')).toBe('bauer');
      } finally {
        writeFileSync(record, text);
        await sql[Symbol.asyncDispose]();
      }
      expect(await cluster.status()).toMatchObject({ verdict: 'healthy' });
    });

    it("another cluster's unreadable state does not stand in the way", async () => {
      const broken = join(sandbox.stateDir, 'clusters', 'default', 'kaputt');
      mkdirSync(broken);
      writeFileSync(join(broken, 'cluster.json'), '{"schema": 1, "na');
      try {
        expect(await cluster.status()).toMatchObject({ verdict: 'healthy' });
        const { clusters } = await sandbox.json<ListDocument>(['list'], { exitCodes: [0, 1, 2] });
        const words = clusters.map(entry => `${entry.cluster} ${entry.verdict}`);
        expect(words).toEqual(['kaputt unknown', 'klein healthy']);
        expect(clusters[0]?.problem).toContain('cluster.json');
      } finally {
        rmSync(broken, { recursive: true });
      }
    });
  });

  describe('by a cluster that is down', () => {
    it('everything that needs a server, with the way to start it', async () => {
      await sandbox.json(['down', 'klein']);
      for (const words of [
        ['switchover', 'klein'],
        ['failover', 'klein', '--to', 'klein-0'],
        ['restart', 'klein'],
        ['reinit', 'klein', 'klein-0'],
      ]) {
        const { exitCode, error } = await sandbox.failure(words);
        expect(exitCode, words.join(' ')).toBe(2);
        expect(error.code).not.toBe('defect');
        expect(`${error.message} ${error.hint}`, words.join(' ')).toMatch(/pgherd up|stopped/);
      }
      expect(processesOf(cluster.root)).toEqual([]);
    });

    it('data of another major version, which stay untouched', async () => {
      const version = join(cluster.root, 'data', 'klein-0', 'pgdata', 'PG_VERSION');
      const text = readFileSync(version, 'utf8');
      writeFileSync(version, '14\n');
      try {
        const file = sandbox.file('klein.yaml', manifest({ name: 'klein' }));
        const { exitCode, error } = await sandbox.failure(['up', file]);
        expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'other-major' });
        expect(error.message).toContain('14');
        expect(processesOf(cluster.root)).toEqual([]);
        expect(readFileSync(version, 'utf8')).toBe('14\n');
      } finally {
        writeFileSync(version, text);
      }
    });
  });
}
