/** What applications meet at the endpoints. */
import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { UrlDocument } from '../../../src/cli/schema.ts';
import type { Cluster } from '../../support/cluster.ts';
import { start } from '../../support/command.ts';
import { openPool, sqlstate } from '../../support/sql.ts';

const WORDS = ['primary', 'standby', 'pooler', 'pooler-standby'] as const;
const LOGIN = { user: 'bauer', database: 'firmendaten' };
const CLIENTS = 300;

export function clientTests(cluster: Cluster): void {
  describe('clients', () => {
    it.each(['standby', 'poolerStandby'] as const)(
      'reach standbys only at %s, for reading only',
      async endpoint => {
        const { members } = await cluster.status();
        const standbys = members.filter(member => member.role === 'standby').map(member => member.address);
        const seen = new Set<string>();
        for (let n = 0; n < 10; n++) {
          await using sql = await cluster.connect(endpoint, LOGIN);
          seen.add(await sql.value<string>('SELECT host(inet_server_addr())'));
          expect(await sql.value('SELECT pg_is_in_recovery()')).toBe(true);
          const refused = await sql.rows('CREATE TABLE nowhere ()').catch(sqlstate);
          expect(refused).toBe('25006');
        }
        expect([...seen].filter(address => !standbys.includes(address))).toEqual([]);
      },
    );

    it('spreads connections to the standby endpoint over both standbys', async () => {
      const open = await Promise.all(Array.from({ length: 8 }, () => cluster.connect('standby', LOGIN)));
      const addresses = await Promise.all(open.map(sql => sql.value('SELECT host(inet_server_addr())')));
      await Promise.all(open.map(sql => sql[Symbol.asyncDispose]()));
      expect(new Set(addresses).size).toBe(2);
    });

    it(`${CLIENTS} clients at once through the pooler never meet an error`, async () => {
      const target = await cluster.target('pooler', LOGIN);
      const pool = openPool(target, { max: CLIENTS, connectionTimeoutMillis: 60_000 });
      const errors: string[] = [];
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () =>
          pool.connect().catch((error: Error) => {
            errors.push(error.message);
            return undefined;
          }),
        ),
      );
      try {
        const work = async (client: pg.PoolClient | undefined, n: number) => {
          for (let round = 0; round < 4 && client !== undefined; round++) {
            const { rows } = await client.query('SELECT $1::int + $2::int AS sum, pg_sleep(0.01)', [
              n,
              round,
            ]);
            if (rows[0].sum !== n + round)
              errors.push(`an answer of another client: ${JSON.stringify(rows)}`);
          }
        };
        const results = await Promise.allSettled(clients.map(work));
        errors.push(
          ...results.flatMap(result => (result.status === 'rejected' ? [String(result.reason)] : [])),
        );
        expect(errors).toEqual([]);
        expect(clients.filter(client => client !== undefined)).toHaveLength(CLIENTS);
        // Transaction mode: they all are still connected, and share a few servers.
        await using sql = await cluster.connect('primary');
        const text = "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'bauer'";
        expect(await sql.value(text)).toBeLessThan(80);
      } finally {
        for (const client of clients) client?.release(true);
        await pool.end();
      }
    });

    it('give a server back after each transaction, and keep it during one', async () => {
      await using sql = await cluster.connect('pooler', LOGIN);
      await sql.rows('BEGIN');
      const [first, second] = [await backend(), await backend()];
      await sql.rows('COMMIT');
      expect(first).toBe(second);
      const { poolMode } = await url('pooler');
      expect(poolMode).toBe('transaction');
      async function backend() {
        return await sql.value('SELECT pg_backend_pid()');
      }
    });

    it('can cancel a query through the pooler', async () => {
      const sleeping = "query = 'SELECT pg_sleep(8)' AND state = 'active'";
      for (let n = 0; n < 6; n++) {
        const { url: uri } = await url('pooler');
        const query = start(['psql', '-XAtc', 'SELECT pg_sleep(8)', uri], options());
        // Cancelled only once it runs.
        await using sql = await cluster.connect('primary');
        await expect
          .poll(() => sql.value(`SELECT count(*)::int FROM pg_stat_activity WHERE ${sleeping}`))
          .toBe(1);
        query.child.kill('SIGINT');
        const { stderr, milliseconds } = await query.finished;
        expect(stderr).toContain('canceling statement');
        expect(milliseconds).toBeLessThan(6000);
      }
    });

    it.each(WORDS)('find the URL of %s working in psql, node-postgres and psycopg2', async word => {
      const { url: uri, host, port } = await url(word);
      const query = 'SELECT current_user || chr(47) || current_database()';
      const psql = await start(['psql', '-XAtc', query, uri], options()).finished;
      expect(psql).toMatchObject({ exitCode: 0, stdout: 'bauer/firmendaten\n' });

      const client = new pg.Client({ connectionString: uri });
      client.on('error', () => {});
      await client.connect();
      const { rows } = await client.query(`${query} AS who`).finally(() => client.end());
      expect(rows).toEqual([{ who: 'bauer/firmendaten' }]);

      if (spawnSync('/usr/bin/python3', ['-c', 'import psycopg2']).status === 0) {
        const script = `import psycopg2, sys
cursor = psycopg2.connect(sys.stdin.read()).cursor()
cursor.execute("${query}")
print(cursor.fetchone()[0])`;
        const python = await start(['/usr/bin/python3', '-c', script], { ...options(), input: uri }).finished;
        expect(python).toMatchObject({ exitCode: 0, stdout: 'bauer/firmendaten\n' });
      }
      const endpoints: Record<string, unknown> = (await cluster.status()).endpoints;
      expect(endpoints[word === 'pooler-standby' ? 'poolerStandby' : word]).toEqual({ host, port });
    });
  });

  async function url(endpoint: string): Promise<UrlDocument> {
    const words = [
      'url',
      cluster.name,
      '--endpoint',
      endpoint,
      '--user',
      'bauer',
      '--database',
      'firmendaten',
    ];
    return await cluster.sandbox.json(words);
  }

  function options() {
    return { env: cluster.sandbox.env, cwd: cluster.sandbox.root, timeoutMs: 30_000 };
  }
}
