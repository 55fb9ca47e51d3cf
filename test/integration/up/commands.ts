/** The commands that look, on a healthy cluster. */
import { describe, expect, it } from 'vitest';
import {
  type EventsDocument,
  eventsDocument,
  type ListDocument,
  type LogDocument,
  listDocument,
  logDocument,
  statusDocument,
  type TopologyDocument,
  topologyDocument,
  type UrlDocument,
  urlDocument,
} from '../../../src/cli/schema.ts';
import type { Cluster } from '../../support/cluster.ts';

/** What issue 2 promises to tools. */
const STATUS_KEYS = [
  'cluster',
  'namespace',
  'verdict',
  'reasons',
  'promise',
  'version',
  'members',
  'endpoints',
  'observedAt',
]; // prettier-ignore
const MEMBER_KEYS = [
  'name',
  'role',
  'state',
  'timeline',
  'lagBytes',
  'lagSeconds',
  'address',
  'port',
  'pendingRestart',
  'since',
]; // prettier-ignore

export function commandTests(cluster: Cluster, manifest: string): void {
  const { sandbox, name } = cluster;

  describe('commands', () => {
    it('status has the keys that tools rely on, and no more than its schema says', async () => {
      const status = await cluster.status();
      expect(statusDocument.strict().parse(status)).toEqual(status);
      expect(Object.keys(status)).toEqual(expect.arrayContaining(STATUS_KEYS));
      for (const member of status.members)
        expect(Object.keys(member)).toEqual(expect.arrayContaining(MEMBER_KEYS));
      expect(Object.keys(status.promise).sort()).toEqual(['mode', 'rpo', 'rto']);
      expect(Object.keys(status.endpoints)).toEqual(['primary', 'standby', 'pooler', 'poolerStandby']);
      expect(status.promise.mode).toBe('sync');
      expect(Math.abs(Date.now() - Date.parse(status.observedAt))).toBeLessThan(10_000);
    });

    it('status tells the same moment of the last change at every look', async () => {
      const sinces = async () => (await cluster.status()).members.map(member => member.since);
      expect(await sinces()).toEqual(await sinces());
    });

    it('status in text begins with the verdict', async () => {
      const { stdout, exitCode } = await sandbox.run(['status', name]);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(new RegExp(`^${name} is healthy`));
      for (const suffix of [0, 1, 2]) expect(stdout).toContain(`${name}-${suffix}`);
    });

    it('list names the cluster, its primary and its health', async () => {
      const document = await sandbox.json<ListDocument>(['list']);
      listDocument.parse(document);
      const { name: primary } = await cluster.primary();
      const members = { wanted: 3, healthy: 3 };
      expect(document.clusters).toMatchObject([
        { cluster: name, namespace: 'default', verdict: 'healthy', members, primary, problem: null },
      ]);
    });

    it('topology shows timelines and lags', async () => {
      const document = await sandbox.json<TopologyDocument>(['topology', name]);
      topologyDocument.parse(document);
      expect(document.primary).toBe((await cluster.primary()).name);
      await using sql = await cluster.connect('primary');
      expect(document.timeline).toBe(await sql.value('SELECT timeline_id FROM pg_control_checkpoint()'));
    });

    it('events say who did what to what, when and why', async () => {
      const document = await sandbox.json<EventsDocument>(['events', name]);
      eventsDocument.parse(document);
      const times = document.events.map(entry => entry.at);
      expect(times).toEqual([...times].sort());
      const created = document.events.find(entry => entry.message.includes('create database firmendaten'));
      expect(created).toMatchObject({ actor: 'up', event: 'step-done' });
      expect(created?.reason).toContain('manifest');
      const later = await sandbox.json<EventsDocument>(['events', name, '--since', '2099-01-01T00:00:00Z']);
      expect(later.events).toEqual([]);
    });

    it('logs merge all servers in the order of time', async () => {
      const { stdout, exitCode } = await sandbox.run(['logs', name, '--output', 'json']);
      expect(exitCode).toBe(0);
      const lines = parseLines(stdout);
      const times = lines.map(line => line.at);
      expect(times).toEqual([...times].sort());
      const components = [...new Set(lines.map(line => line.component))];
      expect(components).toEqual(expect.arrayContaining(['proxy', `${name}-0`, `${name}-1`, `${name}-2`]));
      // Not one server after the other: the component changes many times.
      const changes = lines.filter((line, n) => line.component !== lines[n - 1]?.component).length;
      expect(changes).toBeGreaterThan(components.length);
      expect(lines.map(line => line.text).join('\n')).toContain('database system is ready to accept');
    });

    it('logs can be narrowed down, and refuse a component that does not exist', async () => {
      const result = await sandbox.run([
        'logs',
        name,
        '--component',
        `${name}-1`,
        '--tail',
        '5',
        '-o',
        'json',
      ]);
      const lines = parseLines(result.stdout);
      expect(lines.map(line => line.component)).toEqual(Array(5).fill(`${name}-1`));
      const { exitCode, error } = await sandbox.failure(['logs', name, '--component', 'nothing']);
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'no-such-component' });
    });

    it('logs -f shows what is written after it began', async () => {
      const following = sandbox.start(['logs', name, '-f', '--tail', '1', '--output', 'json']);
      let text = '';
      following.child.stdout?.on('data', chunk => {
        text += chunk;
      });
      await expect.poll(() => text, { timeout: 10_000 }).not.toBe('');
      await using sql = await cluster.connect('primary');
      await sql.rows('SELECT no_such_column_here').catch(() => {});
      await expect.poll(() => text, { timeout: 10_000 }).toContain('no_such_column_here');
      following.child.kill('SIGINT');
      expect((await following.finished).exitCode).toBe(130);
    });

    it('psql runs statements from arguments and standard input, and hands on the exit code', async () => {
      const query = 'SELECT current_user, current_database(), pg_is_in_recovery()';
      const one = await sandbox.run(['psql', name, '--', '-XAtc', query]);
      expect(one).toMatchObject({ exitCode: 0, stdout: 'bauer|firmendaten|f\n' });
      const read = await sandbox.run(['psql', name, '--read', '--', '-XAt'], { input: query });
      expect(read).toMatchObject({ exitCode: 0, stdout: 'bauer|firmendaten|t\n' });
      const admin = await sandbox.run(['psql', name, '--admin', '--', '-XAtc', 'SELECT current_user']);
      expect(admin.stdout).toBe('postgres\n');
      const wrong = await sandbox.run(['psql', name, '--', '-X', '-v', 'ON_ERROR_STOP=1'], {
        input: 'nonsense;',
      });
      expect(wrong.exitCode).toBe(3);
      expect(wrong.stderr).toContain('syntax error');
    });

    it('url without a word names the pooler and its owner; the password can be left out', async () => {
      const document = await sandbox.json<UrlDocument>(['url', name]);
      urlDocument.parse(document);
      expect(document).toMatchObject({ endpoint: 'pooler', user: 'bauer', database: 'firmendaten' });
      const plain = await sandbox.run(['url', name, '--no-password']);
      expect(plain.stdout).not.toContain(await cluster.password('bauer'));
    });

    it('password prints the password and nothing else', async () => {
      const { stdout } = await sandbox.run(['password', name, 'bauer']);
      const password = stdout.replace(/\n$/, '');
      expect(password).toMatch(/^[A-Za-z0-9]{64}$/);
      await using sql = await cluster.connect('pooler', { user: 'bauer', database: 'firmendaten', password });
      expect(await sql.value('SELECT current_user')).toBe('bauer');
    });

    it('up --dry-run and plan touch nothing', async () => {
      const before = cluster.servers();
      const dry = await sandbox.json<object>(['up', manifest, '--dry-run']);
      const plan = await sandbox.json<object>(['plan', manifest]);
      expect(dry).toEqual(plan);
      expect(cluster.servers()).toEqual(before);
    });
  });
}

function parseLines(stdout: string): LogDocument[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => logDocument.parse(JSON.parse(line)));
}
