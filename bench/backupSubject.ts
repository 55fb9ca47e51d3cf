/** What the benchmark of backups works on: a cluster of one member, by pgherd's commands and by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { stringify } from 'yaml';
import { run } from '../src/lib/exec.ts';
import { ROOT, tps } from './support.ts';

const LONG_MS = 3_600_000;
const CLIENTS = 4;

/** A cluster of one member with pgbench's tables in it. */
export class Subject {
  readonly name: string;
  readonly #stateDir: string;
  readonly #file: string;

  /** @param root a directory for everything of the run. */
  constructor(root: string, name: string) {
    this.name = name;
    this.#stateDir = join(root, 'state');
    this.#file = join(root, `${name}.yaml`);
  }

  /** Seconds from the command to its end. */
  async pgherd(...words: string[]): Promise<{ document: unknown; seconds: number }> {
    const started = performance.now();
    const argv = [
      process.execPath,
      join(ROOT, 'src', 'main.ts'),
      '--state-dir',
      this.#stateDir,
      '-o',
      'json',
    ] as const;
    const { stdout } = await run([...argv, ...words], { ...limits(), okCodes: [0, 2] });
    return { document: JSON.parse(stdout), seconds: (performance.now() - started) / 1000 };
  }

  /** No schedule of its own: nothing comes between. */
  async up(archiving: boolean): Promise<void> {
    const never = '0 0 1 1 *';
    const backup = {
      schedule: { full: never },
      verify: { afterBackup: 'never' },
      retention: { full: 1 },
      ...(archiving ? {} : { repositories: [] }),
    };
    const spec = {
      teamId: 'acid',
      numberOfInstances: 1,
      postgresql: { version: '15', parameters: { max_wal_size: '4GB' } },
      volume: { size: '20Gi' },
      resources: { limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '1', memory: '1Gi' } },
      backup,
    };
    const manifest = {
      apiVersion: 'acid.zalan.do/v1',
      kind: 'postgresql',
      metadata: { name: this.name },
      spec,
    };
    writeFileSync(this.#file, stringify(manifest));
    await this.pgherd('up', this.#file);
  }

  async destroy(): Promise<void> {
    await this.pgherd('destroy', this.name, '--yes-destroy', this.name);
  }

  get directory(): string {
    return join(this.#stateDir, 'clusters', 'default', this.name);
  }

  get data(): string {
    return join(this.directory, 'data', `${this.name}-0`, 'pgdata');
  }

  get record(): Record_ {
    return JSON.parse(readFileSync(join(this.directory, 'cluster.json'), 'utf8'));
  }

  get socket(): string {
    return join(this.#stateDir, 'run', this.record.subnet.split('.').slice(1).join('-'), 'member-0');
  }

  async tool(program: string, ...args: string[]): Promise<string> {
    const { postgres, port } = this.record;
    const where = ['-h', this.socket, '-p', String(port), '-U', 'postgres'];
    return (await run([join(postgres.binDir, program), ...where, ...args], limits())).stdout;
  }

  async sql(text: string): Promise<string> {
    return (await this.tool('psql', '-XAtq', '-d', 'postgres', '-c', text)).trim();
  }

  async fill(size: number): Promise<void> {
    await this.tool('pgbench', '-i', '-q', '-s', String(size), 'postgres');
    await this.sql('CHECKPOINT');
  }

  async commits(seconds: number): Promise<number> {
    const words = ['-n', '-c', String(CLIENTS), '-j', '2', '-T', String(seconds), 'postgres'];
    return tps(await this.tool('pgbench', ...words));
  }

  /** pgbackrest as the servers' user, with the configuration of the member's copy. */
  async byHand(dataDirectory: string, command: string, ...options: string[]): Promise<number> {
    const conf = join(this.directory, 'conf', 'backup', `members@${this.name}-0.conf`);
    const argv = ['pgbackrest', `--config=${conf}`, `--stanza=${this.name}`, `--pg1-path=${dataDirectory}`];
    return await this.timedAsServer([...argv, ...options, command]);
  }

  async timedAsServer(argv: string[]): Promise<number> {
    const started = performance.now();
    const { name } = this.record.serviceUser;
    const as = ['setpriv', '--reuid', name, '--regid', name, '--clear-groups'];
    const [program = '', ...rest] = process.getuid?.() === 0 ? [...as, ...argv] : argv;
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: '/', TZ: 'UTC' };
    await run([program, ...rest], { ...limits(), env });
    return (performance.now() - started) / 1000;
  }
}

interface Record_ {
  subnet: string;
  port: number;
  postgres: { binDir: string; version: string };
  programs: { pgbackrestVersion: string };
  serviceUser: { name: string; uid: number; gid: number };
}

export function limits(): { signal: AbortSignal; timeoutMs: number } {
  return { signal: AbortSignal.timeout(LONG_MS), timeoutMs: LONG_MS };
}
