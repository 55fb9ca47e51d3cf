import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDirectory, writeAtomically } from '../../lib/files.ts';
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

  /** Starts the control plane, or a newer version of it, unless it runs. */
  async ensure(): Promise<void> {
    const log = join(this.#stateDir, 'log');
    await ensureDirectory(log, { mode: 0o700 });
    await writeAtomically(join(log, 'config'), 's1000000\nn10\n', { mode: 0o644 });
    await writeService(this.#services, SERVICE, {
      run: [
        '#!/bin/sh',
        '# The resident control plane of pgherd. Rendered by pgherd; edits are overwritten.',
        'exec 2>&1',
        // It holds little: a small heap and few threads keep it small.
        'export MALLOC_ARENA_MAX=1 UV_THREADPOOL_SIZE=4',
        // A sentinel that waits for its turn beside busy servers cannot tell their silence from its own.
        `exec chpst -l ${RUNNING_LOCK} ${URGENT}${quote(this.#launch.node)} --max-old-space-size=48 --max-semi-space-size=2 --v8-pool-size=1 ${quote(this.#launch.main)} --state-dir ${quote(this.#stateDir)} keeper`,
        '',
      ].join('\n'),
      log: `#!/bin/sh\nexec svlogd -ttt ${quote(log)}\n`,
    });
    if (!(await this.#supervisor.isRunning())) await backdate(this.#services);
    await this.#supervisor.ensure(['runsvdir', '-P', this.#services], this.#services);
    if (!(await serviceStatus(this.#services, SERVICE)).running) {
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
    await stopService(this.#services, SERVICE, 5_000, NEVER);
    await this.#supervisor.stop('SIGHUP', 10_000, NEVER);
    if (clusters === 'stopped') return;
    for (const own of ['services', 'log', 'supervisor.log', 'run', 'clusters']) {
      await rm(join(this.#stateDir, own), { recursive: true, force: true });
    }
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
