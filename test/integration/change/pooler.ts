import { describe, expect, it } from 'vitest';
import { processesOf } from '../../support/processes.ts';
import type { Sql } from '../../support/sql.ts';
import { sqlstate } from '../../support/sql.ts';
import type { Editable } from '../change.integration.test.ts';

export function poolerTests({ sandbox, cluster, edited }: Editable): void {
  const login = { user: 'bauer', database: 'firmendaten' };

  describe('the pooler', () => {
    it('changes its mode: a session keeps its server now', async () => {
      await cluster.up(edited());
      expect((await backends()).size).toBe(1);
      const { steps } = await cluster.up(edited({ spec: { connectionPooler: { mode: 'session' } } }));
      expect(steps.length).toBeGreaterThan(0);
      expect((await backends()).size).toBe(4);
      await cluster.up(edited());
      await expect.poll(async () => (await backends()).size).toBe(1);
    });

    it('changes its size: no more servers than maxDBConnections allows', async () => {
      await cluster.up(edited({ spec: { connectionPooler: { maxDBConnections: 4, mode: 'transaction' } } }));
      const clients = await Promise.all(Array.from({ length: 12 }, () => cluster.connect('pooler', login)));
      const pids = await Promise.all(
        clients.map(client => client.value('SELECT pg_backend_pid() FROM (SELECT pg_sleep(0.2)) AS slow')),
      );
      await Promise.all(clients.map(client => client[Symbol.asyncDispose]()));
      expect(new Set(pids).size).toBeLessThanOrEqual(4);
      await cluster.up(edited());
    });

    it('is switched off and on again', async () => {
      const target = await cluster.target('pooler', login);
      const off = await cluster.up(edited({ spec: { enableConnectionPooler: false } }));
      expect(off.endpoints.pooler).toBeNull();
      expect(processesOf(cluster.root).filter(({ name }) => name === 'pgbouncer')).toEqual([]);
      expect(await cluster.connect(target, login).catch(sqlstate)).toBe('ECONNREFUSED');
      const { error } = await sandbox.failure(['url', cluster.name, '--endpoint', 'pooler']);
      expect(error.code).toBe('no-such-endpoint');
      const on = await cluster.up(edited());
      expect(on.endpoints.pooler).toEqual({ host: target.host, port: target.port });
      await using sql = await cluster.connect('pooler', login);
      expect(await sql.value('SELECT current_user')).toBe('bauer');
    });
  });

  /** Server processes that four clients have, one after the other but all connected. */
  async function backends(): Promise<Set<unknown>> {
    const clients: Sql[] = [];
    const pids = new Set<unknown>();
    for (let n = 0; n < 4; n++) {
      const client = await cluster.connect('pooler', login);
      clients.push(client);
      pids.add(await client.value('SELECT pg_backend_pid()'));
    }
    await Promise.all(clients.map(client => client[Symbol.asyncDispose]()));
    return pids;
  }
}
