import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureDirectory, readIfExists, writeAtomically } from '../../lib/files.ts';
import { DetachedProcess } from './detachedProcess.ts';
import {
  backdate,
  RUNNING_LOCK,
  serviceStatus,
  startService,
  stopService,
  URGENT,
  writeService,
} from './runit.ts';

const SERVICE = 'keeper';
/** One that ends a conversation with the servers first takes a moment. */
const STOP_MS = 5_000;
/** Its waits are bounded by themselves. */
const NEVER = new AbortController().signal;

/**
 * The resident control plane as a service of its own below `<state>/services`: one for all clusters of a state
 * directory, started with the first and ended with the last. runit starts it again when it is killed.
 */
export class Keeper {
  readonly #stateDir: string;
  readonly #services: string;
  readonly #launch: { node: string; main: string };
  readonly #supervisor: DetachedProcess;
  readonly #clusters: () => Promise<'running' | 'stopped' | 'none'>;

  /** @param clusters whether some cluster of the state directory runs, or all are stopped, or there is none. */
  constructor(
    stateDir: string,
    launch: { node: string; main: string },
    clusters: () => Promise<'running' | 'stopped' | 'none'>,
  ) {
    this.#stateDir = stateDir;
    this.#services = join(stateDir, 'services');
    this.#launch = launch;
    this.#clusters = clusters;
    this.#supervisor = new DetachedProcess(join(stateDir, 'keeper.json'), join(stateDir, 'supervisor.log'));
  }

  /** Starts the control plane, unless it runs; one of other code or settings gives way to ours. */
  async ensure(): Promise<void> {
    const log = join(this.#stateDir, 'log');
    await ensureDirectory(log, { mode: 0o700 });
    await writeAtomically(join(log, 'config'), 's1000000\nn10\n', { mode: 0o644 });
    const before = await readIfExists(join(this.#services, SERVICE, 'run'));
    const scripts = {
      run: [
        '#!/bin/sh',
        '# The resident control plane of pgherd. Rendered by pgherd; edits are overwritten.',
        `# Code: ${await fingerprint(dirname(this.#launch.main))}`,
        'exec 2>&1',
        // It holds little: a small heap and few threads keep it small.
        'export MALLOC_ARENA_MAX=1 UV_THREADPOOL_SIZE=4',
        // A sentinel that waits for its turn beside busy servers cannot tell their silence from its own.
        `exec chpst -l ${RUNNING_LOCK} ${URGENT}${quote(this.#launch.node)} --max-old-space-size=48 --max-semi-space-size=2 --v8-pool-size=1 ${quote(this.#launch.main)} --state-dir ${quote(this.#stateDir)} keeper`,
        '',
      ].join('\n'),
      log: `#!/bin/sh\nexec svlogd -ttt ${quote(log)}\n`,
    };
    await writeService(this.#services, SERVICE, scripts);
    if (!(await this.#supervisor.isRunning())) await backdate(this.#services);
    await this.#supervisor.ensure(['runsvdir', '-P', this.#services], this.#services);
    const { running } = await serviceStatus(this.#services, SERVICE);
    const outdated = running && before !== undefined && before !== scripts.run;
    if (outdated) await stopService(this.#services, SERVICE, STOP_MS, NEVER);
    if (!running || outdated) {
      await startService(this.#services, SERVICE, NEVER);
    }
  }

  async observe(): Promise<{ running: boolean; since: string | undefined }> {
    const { running, since } = await serviceStatus(this.#services, SERVICE);
    return { running, since };
  }

  /** Ends the control plane when no cluster is left for it to watch, and takes its files with the last cluster. */
  async release(): Promise<void> {
    const clusters = await this.#clusters();
    if (clusters === 'running') return;
    await stopService(this.#services, SERVICE, STOP_MS, NEVER);
    await this.#supervisor.stop('SIGHUP', 10_000, NEVER);
    if (clusters === 'stopped') return;
    for (const own of ['services', 'log', 'supervisor.log', 'run', 'clusters']) {
      await rm(join(this.#stateDir, own), { recursive: true, force: true });
    }
  }
}

/** Another one when a file of the code was changed: an update that leaves the version alone is one, too. */
async function fingerprint(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  const facts = await Promise.all(
    files.sort().map(async file => {
      const { size, mtimeMs } = await stat(file);
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
  return createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 16);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
