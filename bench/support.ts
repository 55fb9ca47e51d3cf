/** What the benchmarks share: running pgherd as a user does, medians, and keeping results as data. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { run } from '../src/lib/exec.ts';

export const ROOT = join(import.meta.dirname, '..');
export const MANIFEST = join(ROOT, 'examples', 'wichtige-daten-3.yaml');
const RESULTS = join(ROOT, 'bench', 'results');

export interface Sample {
  median: number;
  min: number;
  max: number;
  runs: number[];
}

export function summarise(runs: number[]): Sample {
  const sorted = [...runs].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted[middle - 1] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, runs };
}

/** Runs pgherd with the state directory of the benchmark. Resolves with its JSON document and the wall-clock time. */
export async function pgherd(
  stateDir: string,
  args: string[],
): Promise<{ document: unknown; seconds: number }> {
  const started = performance.now();
  const result = await run([join(ROOT, 'pgherd'), '--state-dir', stateDir, '--output', 'json', ...args], {
    signal: AbortSignal.timeout(300_000),
    timeoutMs: 300_000,
    okCodes: [0, 2],
  });
  return { document: JSON.parse(result.stdout), seconds: (performance.now() - started) / 1000 };
}

/** One-minute load average: a figure taken beside somebody else's work says little. */
export function load(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}

/** What the figures of this machine depend on; nothing that names it. */
export function machineFacts(): Record<string, string | number> {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    kernel: release(),
    node: process.version,
  };
}

/** The results of a benchmark as text; undefined: there are none. */
export function readResult(name: string): string | undefined {
  const file = join(RESULTS, `${name}.json`);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Keeps results as data in bench/results/<name>.json; a reader sees the old ones or the new ones. */
export function writeResult(name: string, text: string): void {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.json`);
  writeFileSync(`${file}.new`, `${text}\n`);
  renameSync(`${file}.new`, file);
}

/** Keeps a benchmark's outcome, with what it was measured on, in bench/results/<name>.json, and prints it. */
export function keep(name: string, outcome: Record<string, unknown>): void {
  const machine = machineFacts();
  const text = JSON.stringify({ name, at: new Date().toISOString(), machine, ...outcome }, null, 2);
  writeResult(name, text);
  process.stdout.write(`${text}\n`);
}

/** Starts a server for a baseline; the returned function kills it. */
export function start(
  argv: string[],
  options: { user: string; env?: Record<string, string>; log: number },
): () => void {
  const asRoot = process.getuid?.() === 0;
  const full = asRoot
    ? ['setpriv', '--reuid', options.user, '--regid', options.user, '--clear-groups', ...argv]
    : argv;
  const [program = '', ...args] = full;
  const child = spawn(program, args, {
    stdio: ['ignore', options.log, options.log],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...options.env },
  });
  return () => void child.kill('SIGKILL');
}

/** Runs pgbench against a libpq URI. Resolves with what it printed. */
export async function pgbench(binDir: string, url: string, args: string[]): Promise<string> {
  const target = new URL(url);
  // The password goes by the environment, never by an argument.
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(target.password) };
  target.password = '';
  const result = await run([join(binDir, 'pgbench'), ...args, target.href], {
    signal: AbortSignal.timeout(600_000),
    timeoutMs: 600_000,
    env,
  });
  return result.stdout;
}

/** Transactions per second, as pgbench says. */
export function tps(output: string): number {
  const match = /^tps = ([\d.]+)/m.exec(output);
  if (match === null) throw new Error(`pgbench printed no figure:\n${output}`);
  return Number(match[1]);
}
