import { spawn } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { readIfExists, writeAtomically } from '../../lib/files.ts';
import { findProcess, isAlive, type ProcessId, startTimeOf } from '../../lib/process.ts';
import { sleep } from '../../lib/time.ts';

/** Environment of the servers: nothing of the caller's own, which might hold PG* or PATRONI_* settings. */
const CLEAN_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

/** A process that pgherd started and left running, noted in a file so that a later pgherd finds it. */
export class DetachedProcess {
  readonly #file: string;
  readonly #log: string;

  constructor(file: string, log: string) {
    this.#file = file;
    this.#log = log;
  }

  async isRunning(): Promise<boolean> {
    const id = await this.#read();
    return id !== undefined && (await isAlive(id));
  }

  /** Whether it runs. Finds it also when whoever started it was killed before noting it. */
  async adopt(argv: readonly string[]): Promise<boolean> {
    if (await this.isRunning()) return true;
    const unnoted = await findProcess(argv);
    if (unnoted !== undefined) await this.#note(unnoted);
    return unnoted !== undefined;
  }

  /** Starts it in a session of its own unless it runs already. */
  async ensure(argv: readonly [string, ...string[]], cwd: string): Promise<void> {
    if (await this.adopt(argv)) return;
    const log = await open(this.#log, 'a', 0o600);
    try {
      const [program, ...args] = argv;
      const child = spawn(program, args, {
        detached: true,
        cwd,
        env: CLEAN_ENVIRONMENT,
        stdio: ['ignore', log.fd, log.fd],
      });
      await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      const pid = child.pid ?? 0;
      await this.#note({ pid, startTime: (await startTimeOf(pid)) ?? '' });
      child.unref();
    } finally {
      await log.close();
    }
  }

  /** Sends `name`, waits for the end, kills after `graceMs`. */
  async stop(name: NodeJS.Signals, graceMs: number, signal: AbortSignal): Promise<void> {
    const id = await this.#read();
    if (id === undefined) return;
    const deadline = Date.now() + graceMs;
    if (await isAlive(id)) process.kill(id.pid, name);
    while (await isAlive(id)) {
      if (Date.now() > deadline) process.kill(id.pid, 'SIGKILL');
      await sleep(20, signal);
    }
    await rm(this.#file, { force: true });
  }

  async #note(id: ProcessId): Promise<void> {
    await writeAtomically(this.#file, JSON.stringify(id), { mode: 0o600 });
  }

  async #read(): Promise<ProcessId | undefined> {
    const text = await readIfExists(this.#file);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as ProcessId);
    } catch {
      return undefined;
    }
  }
}
