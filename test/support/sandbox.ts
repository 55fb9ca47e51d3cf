/**
 * Where the clusters of one test file live: a state directory of its own, the real program run against it, and a
 * check at the end that nothing of it stays on the machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import type { ErrorDocument } from '../../src/cli/schema.ts';
import { defaultToolsDir, inspectTools, isReady } from '../../src/platform/local/setup/index.ts';
import { type CommandResult, explain, ROOT, type Running, start } from './command.ts';
import { forgetHosts } from './hosts.ts';
import { findLeaks } from './leaks.ts';
import { WITHIN } from './poll.ts';
import { killAllOf } from './processes.ts';

const TOOLS_DIR = defaultToolsDir(process.env, process.getuid?.() ?? -1);

export interface RunOptions {
  env?: Record<string, string> | undefined;
  input?: string | undefined;
  timeoutMs?: number | undefined;
  /** Through `./pgherd` instead of Node directly: slower by a third of a second. */
  launcher?: boolean | undefined;
}

export class Sandbox {
  readonly root: string;
  readonly stateDir: string;
  readonly #running = new Set<Running>();
  readonly #subnets = new Set<string>();
  readonly #reaper: ChildProcess;

  constructor() {
    this.root = mkdtempSync('/tmp/pgh-');
    chmodSync(this.root, 0o755);
    this.stateDir = join(this.root, 'state');
    for (const name of ['state', 'tmp', 'home', 'files']) mkdirSync(join(this.root, name));
    chmodSync(join(this.root, 'tmp'), 0o1777);
    this.#reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#reaper.unref();
    this.#reaper.stdin?.on('error', () => {});
    this.#reaper.stdin?.write(`${this.root}\n`);
  }

  /** Environment of every command: nothing of the caller's own that leads elsewhere. */
  get env(): Record<string, string> {
    const kept = Object.entries(process.env).filter(
      ([name, value]) => value !== undefined && !/^(PG|PATRONI|VITEST|NODE_|NO_COLOR|FORCE_COLOR)/.test(name),
    ) as [string, string][];
    return {
      ...Object.fromEntries(kept),
      PGHERD_STATE_DIR: this.stateDir,
      PGHERD_TOOLS_DIR: TOOLS_DIR,
      TMPDIR: join(this.root, 'tmp'),
      HOME: join(this.root, 'home'),
      // Shared, as on any machine where pgherd is used twice.
      NODE_COMPILE_CACHE: '/tmp/node-compile-cache',
    };
  }

  /** Writes a file that a command is to read, a manifest say. Returns its path. */
  file(name: string, text: string): string {
    const path = join(this.root, 'files', name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts a command without waiting for its end. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    const program: [string, ...string[]] =
      options.launcher === true
        ? [join(ROOT, 'pgherd')]
        : [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'src', 'main.ts')];
    const running = start([...program, ...args], {
      env: { ...this.env, ...options.env },
      cwd: ROOT,
      input: options.input,
      timeoutMs: options.timeoutMs ?? WITHIN.command,
    });
    this.#running.add(running);
    void running.finished.then(() => {
      this.#running.delete(running);
      this.#noteSubnets();
    });
    return running;
  }

  /** Runs a command to its end, whatever that is. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return await this.start(args, options).finished;
  }

  /** Runs a command that has to exit 0, or as `exitCodes` says; returns its document. */
  async json<T>(args: readonly string[], options: RunOptions & { exitCodes?: number[] } = {}): Promise<T> {
    const result = await this.run([...args, '--output', 'json'], options);
    if (!(options.exitCodes ?? [0]).includes(result.exitCode ?? -1)) throw new Error(explain(result));
    return parse<T>(result);
  }

  /** Runs a command that has to fail. */
  async failure(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<{ exitCode: number | null; error: ErrorDocument['error']; stderr: string }> {
    const result = await this.run([...args, '--output', 'json'], options);
    if (result.exitCode === 0) throw new Error(`it should have failed: ${explain(result)}`);
    const { error } = parse<ErrorDocument>(result);
    if (error === undefined) throw new Error(`no error document: ${explain(result)}`);
    return { exitCode: result.exitCode, error, stderr: result.stderr };
  }

  /** Networks that clusters of this sandbox had, also destroyed ones. */
  get subnets(): string[] {
    this.#noteSubnets();
    return [...this.#subnets];
  }

  /** Ends and destroys everything, by the product's own commands where they work, and reports what they left. */
  async close(): Promise<string[]> {
    for (const { child } of this.#running) child.kill('SIGKILL');
    await Promise.allSettled([...this.#running].map(running => running.finished));
    const leaks: string[] = [];
    for (const { namespace, name } of this.#clusters()) {
      const result = await this.run(['destroy', name, '-n', namespace, '--yes-destroy', name]);
      if (result.exitCode !== 0) leaks.push(`destroy failed: ${explain(result)}`);
    }
    const scratch = [join(this.root, 'tmp'), join(this.root, 'home')];
    leaks.push(...(await findLeaks({ stateDir: this.stateDir, scratch, subnets: this.subnets })));
    killAllOf(this.stateDir);
    forgetHosts(this.stateDir, this.subnets);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    this.#reaper.stdin?.end();
    return leaks;
  }

  #clusters(): { namespace: string; name: string; text: string }[] {
    const clusters = join(this.stateDir, 'clusters');
    return list(clusters).flatMap(namespace =>
      list(join(clusters, namespace)).flatMap(name => {
        try {
          const text = readFileSync(join(clusters, namespace, name, 'cluster.json'), 'utf8');
          return [{ namespace, name, text }];
        } catch {
          return [];
        }
      }),
    );
  }

  #noteSubnets(): void {
    for (const { text } of this.#clusters()) {
      const subnet = /"subnet":\s*"([\d.]+)"/.exec(text)?.[1];
      if (subnet !== undefined) this.#subnets.add(subnet);
    }
  }
}

function parse<T>(result: CommandResult): T {
  try {
    return JSON.parse(result.stdout) as T;
  } catch (cause) {
    throw new Error(`no JSON document: ${explain(result)}`, { cause });
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** A sandbox for the tests of the block around, which is closed behind them; what leaked makes the file fail. */
export function useSandbox(): Sandbox {
  const sandbox = new Sandbox();
  afterAll(async () => {
    const leaks = await sandbox.close();
    if (leaks.length > 0) throw new Error(`left behind on the machine:\n${leaks.join('\n')}`);
  });
  return sandbox;
}

/** A block of tests that need the servers; skipped, and said so, where these are not installed. */
export function integration(title: string, body: (sandbox: Sandbox) => void): void {
  if (MISSING.length > 0) process.stderr.write(`SKIPPED ${title}: not installed: ${MISSING.join(', ')}\n`);
  describe.skipIf(MISSING.length > 0)(title, () => {
    if (MISSING.length === 0) body(useSandbox());
  });
}

const MISSING = await missingServers();

async function missingServers(): Promise<string[]> {
  const report = await inspectTools({
    majorWanted: undefined,
    toolsDir: TOOLS_DIR,
    signal: AbortSignal.timeout(60_000),
  });
  return isReady(report) ? [] : report.missing.map(item => item.tool);
}
