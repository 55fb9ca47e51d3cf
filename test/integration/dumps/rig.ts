/** A cluster that dumps into a directory, and what the tests of its dumps need. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChoresDocument } from '../../../src/cli/schema.ts';
import { type DumpContents, dumpMoment } from '../../../src/core/schedule/dump.ts';
import { keeperOf } from '../../faults/support/servers.ts';
import { Cluster } from '../../support/cluster.ts';
import { manifest } from '../../support/manifest.ts';
import { kill } from '../../support/processes.ts';
import type { Sandbox } from '../../support/sandbox.ts';

export const LOGIN = { user: 'bauer', database: 'firmendaten' };
export const NAME = 'abzug';
/** A line that never comes while tests run: they set back the memory instead. */
const YEARLY = '0 0 1 1 *';

export class DumpRig {
  readonly sandbox: Sandbox;
  readonly cluster: Cluster;
  readonly share: string;
  #away = 0;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.cluster = new Cluster(sandbox, NAME);
    this.share = join(sandbox.root, 'share');
    mkdirSync(this.share);
  }

  /**
   * Brings the cluster up with this much about dumps in its manifest; physical backups are no concern here. Unless the
   * control plane `watches`, it is stopped in its tracks: it would do what is due before the test does.
   */
  async up(options: {
    format?: 'custom' | 'plain';
    schedule?: string;
    retention?: string;
    watches?: boolean;
  }) {
    const { format = 'custom', schedule = YEARLY, retention, watches = false } = options;
    const spec = {
      enableLogicalBackup: true,
      logicalBackupSchedule: schedule,
      ...(retention !== undefined && { logicalBackupRetention: retention }),
      backup: { repositories: [], logical: { directory: this.share, format }, schedule: { timeZone: 'UTC' } },
    };
    await this.cluster.up(this.sandbox.file('abzug.yaml', manifest({ name: NAME, spec })));
    kill(await keeperOf(this.cluster), watches ? 'SIGCONT' : 'SIGSTOP');
  }

  get directory(): string {
    return join(this.share, 'default', NAME);
  }

  /** Complete dumps by id, oldest first. */
  get ids(): string[] {
    return this.entries.filter(name => dumpMoment(name) !== undefined);
  }

  get entries(): string[] {
    try {
      return readdirSync(this.directory).sort();
    } catch {
      return [];
    }
  }

  get latest(): { path: string; contents: DumpContents } {
    const path = join(this.directory, this.ids.at(-1) ?? 'none');
    return { path, contents: JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) };
  }

  /** Does what is due, as the control plane would. */
  async chores(): Promise<ChoresDocument['chores']> {
    const words = ['chores', NAME];
    const { chores } = await this.sandbox.json<ChoresDocument>(words, { exitCodes: [0, 1] });
    return chores;
  }

  /** As if the schedule had been in force since long ago, and its last moment had been missed: no dump is there. */
  async missARun(): Promise<void> {
    await this.chores();
    this.putAway();
    this.remember(memory => {
      for (const line of Object.values(memory.lines)) line.since = '2020-01-01T00:00:00Z';
      memory.runs = {};
    });
  }

  /** Takes all complete dumps out of the place. */
  putAway(): void {
    for (const id of this.ids)
      renameSync(join(this.directory, id), join(this.sandbox.root, 'files', `${this.#away++}-${id}`));
  }

  remember(change: (memory: Memory) => void): void {
    const path = join(this.cluster.root, 'backups', 'memory', 'schedule.json');
    const memory: Memory = JSON.parse(readFileSync(path, 'utf8'));
    change(memory);
    writeFileSync(path, JSON.stringify(memory));
  }

  /** A tool of PostgreSQL on the superuser's socket. */
  tool(program: string, args: string[]): string {
    const record = JSON.parse(readFileSync(join(this.cluster.root, 'cluster.json'), 'utf8'));
    const run = join(this.sandbox.stateDir, 'run', record.subnet.split('.').slice(1).join('-'), 'member-0');
    return execFileSync(
      join(record.postgres.binDir, program),
      ['-h', run, '-p', String(record.port), '-U', 'postgres', ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  }
}

interface Memory {
  lines: Record<string, { text: string; since: string }>;
  runs: Record<string, { started?: string; ended?: string; failures: number; message?: string }>;
}
