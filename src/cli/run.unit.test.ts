import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type MemoryCluster, type MemoryPlatform, memoryPlatform } from '../../test/cli/platform.ts';
import { type Ran, runInMemory } from '../../test/cli/surroundings.ts';
import { makeSpec } from '../core/plan/testing/fixture.ts';
import { splitArguments } from './run.ts';
import * as schema from './schema.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/wichtige-daten-3.yaml');
const login = {
  superuser: false,
  inherit: true,
  login: true,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

let platform: MemoryPlatform;
let herd: MemoryCluster;

beforeEach(() => {
  platform = memoryPlatform();
  herd = platform.add(
    makeSpec({
      users: [{ name: 'bauer', flags: login }],
      databases: [{ name: 'firmendaten', owner: 'bauer' }],
      pooler: { primary: true },
    }),
  );
  herd.log.push(
    { at: '2026-01-01T00:00:01.000Z', component: 'herd-0', text: 'ready' },
    { at: '2026-01-01T00:00:02.000Z', component: 'herd-etcd-0', text: 'elected' },
  );
});

function run(...argv: string[]): Promise<Ran> {
  return runInMemory(argv, { platform });
}

async function json<T extends z.ZodObject>(document: T, ...argv: string[]): Promise<z.infer<T> & Ran> {
  const ran = await run(...argv, '--output', 'json');
  const parsed: unknown = JSON.parse(ran.stdout);
  expect(document.strict().parse(parsed)).toEqual(parsed);
  return { ...(parsed as z.infer<T>), ...ran };
}

describe('documents', () => {
  const status = schema.statusDocument;

  it('status: as tools rely on it', async () => {
    const document = await json(status, 'status', 'herd');
    expect(document).toMatchObject({
      exitCode: 0,
      verdict: 'healthy',
      promise: { mode: 'sync' },
      endpoints: { primary: { host: '127.1.2.1', port: 5432 }, pooler: { port: 6432 }, poolerStandby: null },
    });
    expect(document.members.map(member => member.role)).toEqual(['primary', 'standby', 'standby']);
    expect(document.stderr).toBe('');
  });

  it('status: exits 2 when something is wrong, and 0 when it was stopped on purpose', async () => {
    herd.distort = observed => ({ ...observed, dcs: { voters: 3, healthyVoters: 2 } });
    expect(await json(status, 'status', 'herd')).toMatchObject({ exitCode: 2, verdict: 'degraded' });
    herd.distort = observed => ({ ...observed, stopped: true, components: [], members: [] });
    expect(await json(status, 'status', 'herd')).toMatchObject({ exitCode: 0, verdict: 'stopped' });
    herd.distort = observed => ({ ...observed, dcs: undefined, members: [], controlPlane: undefined });
    expect(await json(status, 'status', 'herd')).toMatchObject({ exitCode: 2, verdict: 'down', dcs: null });
  });

  it.each([
    ['topology', schema.topologyDocument, ['topology', 'herd']],
    ['list', schema.listDocument, ['list']],
    ['url', schema.urlDocument, ['url', 'herd']],
    ['password', schema.passwordDocument, ['password', 'herd', 'bauer']],
    ['events', schema.eventsDocument, ['events', 'herd']],
    ['switchover', schema.switchoverDocument, ['switchover', 'herd']],
    ['failover', schema.failoverDocument, ['failover', 'herd', '--to', 'herd-2', '--accept-loss']],
    ['restart', schema.restartDocument, ['restart', 'herd']],
    ['down', schema.downDocument, ['down', 'herd']],
    ['destroy', schema.destroyDocument, ['destroy', 'herd', '--yes-destroy', 'herd']],
    ['chores', schema.choresDocument, ['chores', 'herd']],
    ['setup', schema.setupDocument, ['setup', '--check']],
    ['version', schema.versionDocument, ['version']],
    ['plan', schema.planDocument, ['plan', EXAMPLE]],
    ['up', schema.upDocument, ['up', EXAMPLE]],
  ] as const)('%s', async (_, document, argv) => {
    expect(await json<z.ZodObject>(document, ...argv)).toMatchObject({ schema: 1, exitCode: 0 });
  });

  it('logs: one per line', async () => {
    const { stdout } = await run('logs', 'herd', '-o', 'json');
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => schema.logDocument.strict().parse(JSON.parse(line)));
    expect(lines.map(line => line.text)).toEqual(['ready', 'elected']);
  });

  it.each([
    ['no such cluster', 1, ['status', 'nobody']],
    ['usage', 2, ['status']],
    ['unknown command', 2, ['statsu', 'herd']],
    ['refusal', 2, ['switchover', 'herd', '--to', 'herd-0']],
    ['unreadable manifest', 1, ['up', '/nowhere.yaml']],
    ['bad duration', 2, ['status', 'herd', '--timeout', 'soon']],
    ['words behind --', 2, ['status', 'herd', '--', 'x']],
  ] as const)('errors: %s', async (_, exitCode, argv) => {
    // Options behind `--` would be words for another program.
    const ran = await run('--output', 'json', ...argv);
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toBe('');
    schema.errorDocument.strict().parse(JSON.parse(ran.stdout));
  });
});

describe('up', () => {
  it('creates, and says what a person needs next', async () => {
    const { exitCode, stdout, stderr } = await run('up', EXAMPLE);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^wichtige-daten-3 is up and takes writes: 3 members streaming/);
    expect(stdout).toContain('postgresql://bauer@127.1.2.1:6432/firmendaten?sslmode=verify-full');
    expect(stdout).toContain('bauer.wichtige-daten-3.credentials.postgresql.acid.zalan.do');
    expect(stdout).toContain('0.0.0.0/0');
    expect(stdout).not.toContain('s3cret');
    expect(stderr).toContain('create database firmendaten');
  });

  it('says when there is nothing to do', async () => {
    await run('up', EXAMPLE);
    const { stdout } = await run('up', EXAMPLE);
    expect(stdout).toMatch(/^wichtige-daten-3: nothing to change: 3 members streaming/);
    expect((await run('plan', EXAMPLE)).stdout).toMatch(/^wichtige-daten-3: nothing to change/);
  });

  it('plans without touching anything', async () => {
    for (const argv of [
      ['plan', EXAMPLE],
      ['up', EXAMPLE, '--dry-run'],
    ]) {
      const { stdout, exitCode } = await run(...argv);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('would be created in');
      expect(stdout).toMatch(/ 1\. /);
    }
    expect(platform.clusters.at(-1)?.world.observed.exists).toBe(false);
  });

  it('shows all errors of a manifest at once, in their places', async () => {
    const text = readFileSync(EXAMPLE, 'utf8')
      .replace('numberOfInstances: 3', 'numberOfInstances: three')
      .replace('size:', 'sise:');
    const { exitCode, stderr } = await runInMemory(['up', '-'], { platform, input: text });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: stdin has 3 errors: nothing was changed$/m);
    expect(stderr).toMatch(/^stdin:14:22: error: .*numberOfInstances/);
    expect(stderr).toMatch(/\| +numberOfInstances: three\n +\| +\^/);
  });

  it('does not take another namespace than the manifest names', async () => {
    const { exitCode, stderr } = await run('up', EXAMPLE, '-n', 'school');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('namespace: school');
  });
});

describe('connecting', () => {
  it('url prints one URI with the password, for the pooler', async () => {
    expect((await run('url', 'herd')).stdout).toBe(
      'postgresql://bauer:s3cret%2Fbauer@127.1.2.1:6432/firmendaten?sslmode=verify-full&sslrootcert=/state/herd/ca.crt\n',
    );
    expect((await run('url', 'herd', '--no-password', '--endpoint', 'standby')).stdout).toMatch(
      /^postgresql:\/\/bauer@127.1.2.1:5433/,
    );
  });

  it('url refuses an endpoint that the manifest does not ask for, and a user without a password', async () => {
    expect(await run('url', 'herd', '--endpoint', 'pooler-standby')).toMatchObject({
      exitCode: 2,
      stdout: '',
    });
    expect((await run('url', 'herd', '--user', 'nobody')).stderr).toContain('bauer');
  });

  it('password prints nothing but the password', async () => {
    expect((await run('password', 'herd', 'bauer')).stdout).toBe('s3cret/bauer\n');
  });

  it("psql's exit code is ours", async () => {
    expect((await run('psql', 'herd', '--', '-c', 'select 1')).exitCode).toBe(3);
    expect((await run('psql', 'herd', '-c', 'select 1')).stderr).toContain('behind --');
  });
});

describe('operating', () => {
  it('switchover tells who leads now', async () => {
    const { stdout } = await run('switchover', 'herd', '--to', 'herd-1');
    expect(stdout).toMatch(/^herd-1 is the primary now \(before: herd-0; /);
  });

  it('failover needs to be told that a loss is meant', async () => {
    expect(await run('failover', 'herd', '--to', 'herd-2')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(herd.calls).not.toContain('failover');
  });

  it('restart takes standbys first', async () => {
    const { stdout } = await run('restart', 'herd');
    expect(stdout).toContain('herd-1, then herd-2, then herd-0');
    expect((await run('restart', 'herd', 'herd-2')).stdout).toContain('restarted herd-2 (');
  });

  it('logs can be narrowed to a component or a kind, and refuse an unknown one', async () => {
    expect((await run('logs', 'herd', '--component', 'etcd')).stdout).toMatch(/herd-etcd-0 +elected\n$/);
    expect((await run('logs', 'herd', '--component', 'herd-0', '--tail', '1')).stdout).toContain('ready');
    expect(await run('logs', 'herd', '--component', 'nothing')).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('events are a table', async () => {
    expect((await run('events', 'herd')).stdout).toBe('no events\n');
    await run('down', 'herd');
    expect((await run('events', 'herd')).stdout).toMatch(/down .*all servers were stopped/);
  });
});

describe('destroy', () => {
  it.each([
    [[], 'nobody is here to confirm'],
    [['--yes-destroy', 'other'], 'nothing was deleted'],
  ] as const)('refuses %j', async (flags, reason) => {
    const ran = await run('destroy', 'herd', ...flags);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(reason);
    expect(herd.destroyed).toBe(false);
  });

  it.each([
    ['herd\n', 0],
    ['hird\n', 2],
    ['', 2],
  ])('asks for the name on a terminal: %j', async (input, exitCode) => {
    const ran = await runInMemory(['destroy', 'herd'], { platform, input, terminal: true });
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toContain('3 members: herd-0, herd-1, herd-2');
    expect(herd.destroyed).toBe(exitCode === 0);
  });
});

describe('several clusters', () => {
  beforeEach(() => void platform.add(makeSpec({ namespace: 'school' })));

  it('are told apart by their namespaces', async () => {
    const { stdout } = await run('list');
    expect(stdout.split('\n')[1]).toMatch(/^default +herd +healthy +3 of 3/);
    expect(stdout.split('\n')[2]).toMatch(/^school +herd +healthy/);
    expect((await run('status', 'herd')).stderr).toContain('default, school');
    expect((await run('status', 'herd', '-n', 'school')).exitCode).toBe(0);
  });

  it('do not hide each other when one cannot be observed', async () => {
    herd.distort = () => {
      throw new Error('unreadable');
    };
    const { stdout, exitCode } = await run('list');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/default +herd +unknown .*unreadable/);
    expect(stdout).toMatch(/school +herd +healthy/);
  });
});

describe('texts', () => {
  it('status begins with the verdict and what would be lost', async () => {
    const { stdout, exitCode } = await run('status', 'herd');
    expect(exitCode).toBe(0);
    const [verdict, loss] = stdout.split('\n');
    expect(verdict).toMatch(/^herd is healthy: 3 of 3 members/);
    expect(loss).toMatch(/^Lost if the primary died now: nothing/);
    expect(stdout).toContain('observed 10 s ago');
  });

  it('a lost member stays listed', async () => {
    herd.distort = observed => ({
      ...observed,
      members: observed.members.map(member =>
        member.name === 'herd-2'
          ? { ...member, role: 'unknown', state: 'lost', problem: 'no answer' }
          : member,
      ),
    });
    expect((await run('status', 'herd')).stdout).toMatch(/herd-2 +- +lost .*no answer/);
    expect((await run('topology', 'herd')).stdout).toMatch(/└─ herd-2 +- +lost/);
  });

  it('colours are for terminals only, and can be switched off', async () => {
    const coloured = await runInMemory(['status', 'herd'], { platform, terminal: true });
    expect(coloured.stdout).toContain('\u001b[');
    for (const options of [{ env: { NO_COLOR: '1' } }, { env: { TERM: 'dumb' } }, { argv: ['--no-color'] }]) {
      const { argv = [], env = {} } = options as { argv?: string[]; env?: Record<string, string> };
      expect(
        (await runInMemory(['status', 'herd', ...argv], { platform, terminal: true, env })).stdout,
      ).not.toContain('\u001b[');
    }
  });

  it('suggested commands carry what they need', async () => {
    const { stdout } = await run('up', EXAMPLE, '--state-dir', '/my state', '-n', 'default');
    expect(stdout).toContain("pgherd status wichtige-daten-3 -n default --state-dir '/my state'");
  });

  it('help comes without a command, too', async () => {
    const { stdout, exitCode } = await run();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: pgherd');
    expect((await run('help', 'up')).stdout).toContain('pgherd up [options] <file>');
  });

  it('a mistyped command gets a suggestion', async () => {
    expect((await run('statsu')).stderr).toMatch(
      /^error: unknown command 'statsu'\nhint: Did you mean status\?/,
    );
  });
});

describe('splitArguments', () => {
  it('leaves what is behind the first -- alone', () => {
    expect(splitArguments(['psql', 'herd', '--', '-c', '--', 'x'])).toEqual({
      own: ['psql', 'herd'],
      passed: ['-c', '--', 'x'],
    });
    expect(splitArguments(['list'])).toEqual({ own: ['list'], passed: [] });
  });
});
