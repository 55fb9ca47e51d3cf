/** `pgherd stress` against a real cluster: small, so that it says whether things work and not how fast. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type StressDocument, stressDocument } from '../../src/cli/stress/schema.ts';
import { Cluster } from '../support/cluster.ts';
import { explain, type Running } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { WITHIN } from '../support/poll.ts';
import { integration } from '../support/sandbox.ts';

const LOGIN = { user: 'bauer', database: 'firmendaten' };

integration('the stress test', sandbox => {
  const cluster = new Cluster(sandbox, 'last');

  /** Exit code 2 is a verdict: a busy machine may be slower than the clients want. */
  async function stress(...words: string[]): Promise<StressDocument> {
    const document = await sandbox.json<StressDocument>(['stress', 'last', ...words], { exitCodes: [0, 2] });
    expect(stressDocument.strict().parse(document)).toEqual(document);
    return document;
  }

  function only({ runs }: StressDocument): StressDocument['runs'][number] {
    expect(runs).toHaveLength(1);
    const [run] = runs;
    if (run === undefined) throw new Error('no run');
    return run;
  }

  async function value(text: string): Promise<unknown> {
    await using sql = await cluster.connect('primary', LOGIN);
    return await sql.value(text);
  }

  const rows = (): Promise<unknown> => value('SELECT count(*)::int FROM testdaten');

  async function sees(running: Running, text: string): Promise<void> {
    await expect.poll(() => running.stderr(), { timeout: WITHIN.notice, interval: 20 }).toContain(text);
  }

  beforeAll(async () => {
    const text = manifest({
      name: 'last',
      spec: { enableConnectionPooler: true },
      // 20 of them are kept free of the pooler.
      parameters: { max_connections: '40' },
    });
    await cluster.up(sandbox.file('last.yaml', text));
  });

  describe('before any load', () => {
    it('a table that is missing is an error with the remedy', async () => {
      const { exitCode, error } = await sandbox.failure(['stress', 'last']);
      expect(exitCode).toBe(2);
      expect(error).toMatchObject({ code: 'no-table', hint: expect.stringContaining('--fill') });
    });

    it('so is a script that does not work, with its line', async () => {
      const wrong = sandbox.file('wrong.sql', 'SELECT 1;\nSELCT 2;\n');
      const open = sandbox.file('open.sql', 'BEGIN; SELECT 1;');
      const none = sandbox.file('none.sql', '-- nothing\n');
      const codes: unknown[] = [];
      for (const file of [wrong, open, none]) {
        const { exitCode, error } = await sandbox.failure(['stress', 'last', '--script', file]);
        expect(exitCode).toBe(2);
        codes.push(error.code);
        if (file === wrong) expect(error.message).toContain(`${wrong}:2: syntax error`);
      }
      expect(codes).toEqual(['script-failed', 'script-open-transaction', 'script-empty']);
    });

    it('and a database that does not exist, also where a pooler is asked', async () => {
      const { error } = await sandbox.failure(['stress', 'last', '--database', 'nirgends']);
      expect(error).toMatchObject({
        code: 'login-refused',
        message: expect.stringContaining('"nirgends" does not exist'),
      });
    });
  });

  describe('a load', () => {
    it('fills the table and serves every reader through the pooler', async () => {
      const page = join(sandbox.root, 'files', 'report.html');
      const words = ['--fill', '20000', '--clients', '60', '--interval', '400ms', '--duration', '3s'];
      const document = await stress(...words, '--report', page);
      const run = only(document);
      expect(document.fill).toMatchObject({ rows: 20_000, seed: 1 });
      expect(run).toMatchObject({ endpoint: 'pooler', failures: 0, errors: [], lowestConnected: 60 });
      expect(run.ramp).toMatchObject({ connected: 60, ended: 'all-connected', errors: [] });
      expect(run.statements).toBeGreaterThan(60);
      expect(run.rows).toBe(run.statements);
      expect(run.latencyMs?.p50).toBeGreaterThan(0);
      expect(run.latencyMs?.p99).toBeGreaterThanOrEqual(run.latencyMs?.p50 ?? 0);
      expect(run.timeline.length).toBeGreaterThanOrEqual(2);
      expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<svg[\s\S]*<\/html>\n$/);
      expect(document.report).toBe(page);

      expect(await rows()).toBe(20_000);
      expect(await value('SELECT count(DISTINCT name) > 5000 FROM testdaten')).toBe(true);
      // The sequence goes on where the rows end, and the planner knows the table.
      expect(await value("INSERT INTO testdaten (name, num_col) VALUES ('x', 1) RETURNING id::int")).toBe(
        20_001,
      );
      expect(await value("SELECT reltuples::int FROM pg_class WHERE oid = 'testdaten'::regclass")).toBe(
        20_000,
      );
    });

    it('fills its own table anew', async () => {
      const before = await value('SELECT name FROM testdaten WHERE id = 7');
      const { runs, fill } = await stress('--fill', '300', '--duration', '0');
      expect(runs).toEqual([]);
      expect(fill?.rows).toBe(300);
      expect(await rows()).toBe(300);
      expect(await value('SELECT name FROM testdaten WHERE id = 7')).toBe(before);
      await stress('--fill', '300', '--duration', '0', '--seed', '2');
      expect(await value('SELECT name FROM testdaten WHERE id = 7')).not.toBe(before);
    });

    it('--compare: too many clients for the primary, not one too many for the pooler', async () => {
      const document = await stress('--compare', '--clients', '60', '--duration', '2s');
      const [direct, pooled] = document.runs;
      expect([direct?.endpoint, pooled?.endpoint]).toEqual(['primary', 'pooler']);
      expect(direct?.verdict).toBe('failed');
      expect(direct?.ramp.connected).toBeLessThan(40);
      expect(direct?.ramp.connected).toBeGreaterThan(0);
      expect(direct?.ramp.errors).toContainEqual(expect.objectContaining({ code: '53300', class: '53' }));
      expect(pooled?.ramp).toMatchObject({ connected: 60, ended: 'all-connected', errors: [] });
      expect(pooled).toMatchObject({ failures: 0, errors: [] });
      expect(document.verdict).toBe(pooled?.verdict);
    });

    it('writes to a table of its own and takes it away', async () => {
      const run = only(
        await stress('--clients', '8', '--interval', '0', '--write-ratio', '0.5', '--duration', '2s'),
      );
      expect(run).toMatchObject({ failures: 0, errors: [] });
      expect(run.writeLatencyMs?.count).toBeGreaterThan(8);
      expect(run.readLatencyMs?.count).toBeGreaterThan(8);
      expect(await value("SELECT to_regclass('pgherd_stress')")).toBeNull();
    });

    it('runs a script, straight to the primary and with a connection each time', async () => {
      const script = sandbox.file(
        'own.sql',
        'CREATE TEMP TABLE t (n int) ON COMMIT DROP;\nSELECT 1; SELECT 2;\n',
      );
      const words = ['--script', script, '--clients', '4', '--duration', '2s', '--endpoint', 'primary'];
      const run = only(await stress(...words, '--connect-each-time'));
      expect(run).toMatchObject({ endpoint: 'primary', failures: 0, ramp: { ended: 'not-needed' } });
      expect(run.connectLatencyMs?.count).toBeGreaterThanOrEqual(run.statements);
      // Two rows per transaction.
      expect(run.rows).toBe(2 * run.statements);
    });
  });

  describe('Ctrl-C', () => {
    it('during the load: a report of what was measured', async () => {
      const page = join(sandbox.root, 'files', 'early.html');
      const running = sandbox.start([
        'stress',
        'last',
        '--clients',
        '10',
        '--duration',
        '10m',
        '--report',
        page,
      ]);
      await sees(running, ' a second');
      running.child.kill('SIGINT');
      const result = await running.finished;
      expect(result.exitCode, explain(result)).toBe(130);
      expect(result.stdout).toMatch(/^last through pooler: \w+, ended early\n/);
      expect(result.stdout).toContain('10 of 10 connected');
      expect(result.stderr).not.toContain('error:');
      expect(existsSync(page)).toBe(true);
    });

    it('during a fill: the table is as it was', async () => {
      const running = sandbox.start(['stress', 'last', '--fill', '3000000', '--duration', '0']);
      await sees(running, 'filling testdaten');
      running.child.kill('SIGINT');
      const result = await running.finished;
      expect(result.exitCode, explain(result)).toBe(130);
      expect(result.stderr).toContain('as it was before');
      await expect.poll(() => value("SELECT to_regclass('testdaten_pgherd_next')")).toBeNull();
      expect(await rows()).toBe(300);
    });
  });

  describe("somebody else's table", () => {
    it('is read, and never filled', async () => {
      await value('DROP TABLE testdaten');
      await value("CREATE TABLE testdaten AS SELECT 1 AS id, 'Frau Bauer' AS name, 5 AS num_col");
      const { exitCode, error } = await sandbox.failure(['stress', 'last', '--fill', '10']);
      expect(exitCode).toBe(2);
      expect(error).toMatchObject({ code: 'foreign-table', hint: expect.stringContaining('--database') });
      expect(await value('SELECT name FROM testdaten')).toBe('Frau Bauer');
      expect(only(await stress('--clients', '5', '--duration', '1s'))).toMatchObject({ failures: 0 });
    });

    it('with other columns is refused', async () => {
      await value('ALTER TABLE testdaten RENAME num_col TO number');
      const { error } = await sandbox.failure(['stress', 'last']);
      expect(error).toMatchObject({ code: 'other-columns', message: expect.stringContaining('num_col') });
    });
  });

  it('a cluster that is down is an error at once', async () => {
    expect((await sandbox.run(['down', 'last'])).exitCode).toBe(0);
    const { exitCode, error } = await sandbox.failure(['stress', 'last']);
    expect(exitCode).toBe(2);
    expect(error).toMatchObject({ code: 'not-reachable', hint: expect.stringContaining('pgherd up') });
  });
});
