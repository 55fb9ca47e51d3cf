/**
 * The stress test itself: how fast it fills a million rows, whether 5,000 clients get through the pooler with not
 * one refused, and whether its load generator could be the bottleneck: the same statement, clients and endpoint
 * as pgbench, in turns.
 *
 *   node bench/stress.ts [RUNS] [SECONDS]     default 3 runs of 10 s each
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StressDocument } from '../src/cli/stress/schema.ts';
import { defaultToolsDir } from '../src/platform/local/setup/index.ts';
import { keep, load, MANIFEST, pgbench, pgherd, summarise, tps } from './support.ts';

const runs = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 10);
const NAME = 'wichtige-daten-3';
const ROWS = 1_000_000;
const CROWD = 5_000;
/** Per run: what else the machine does weighs less on many short turns than on few long ones. */
const PAIRS = 3;
process.env.PGHERD_TOOLS_DIR = defaultToolsDir(process.env, process.getuid?.() ?? -1);

const stateDir = mkdtempSync('/tmp/pgherd-bench-');
chmodSync(stateDir, 0o755);
const samples: Record<string, number[]> = {};
const loads: number[] = [];
try {
  await pgherd(stateDir, ['up', MANIFEST]);
  for (let n = 0; n < runs; n++) {
    loads.push(load());
    const filled = await stress('--fill', String(ROWS), '--duration', '0');
    add(`seconds for ${ROWS} rows`, filled.fill?.seconds);
    await crowd();
    for (let pair = 0; pair < PAIRS; pair++) for (const clients of [20, 50]) await versus(clients);
    process.stderr.write(`run ${n + 1} of ${runs} done\n`);
  }
  const side = await sideBySide();
  const summaries = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, summarise(values)]),
  );
  const ratio = (clients: number): number => {
    const of = (who: string): number[] => samples[`SELECT 1, ${clients} clients, per second: ${who}`] ?? [];
    return summarise(of('pgherd stress').map((ours, i) => ours / (of('pgbench')[i] ?? 1))).median;
  };
  keep('stress', {
    'ratio to pgbench, 20 clients, median of pairs': ratio(20),
    'ratio to pgbench, 50 clients, median of pairs': ratio(50),
    samples: summaries,
    '300 readers of 10,000 rows, --compare': side,
    'load average before each run': loads,
  });
} finally {
  await pgherd(stateDir, ['destroy', NAME, '--yes-destroy', NAME]);
  rmSync(stateDir, { recursive: true, force: true });
}

/** Five thousand clients, each a statement every five seconds. */
async function crowd(): Promise<void> {
  const script = join(stateDir, 'one.sql');
  writeFileSync(script, 'SELECT 1');
  const words = ['--clients', String(CROWD), '--interval', '5s', '--duration', `${2 * seconds}s`];
  const [run] = (await stress(...words, '--script', script)).runs;
  const refused = run?.ramp.errors.reduce((sum, error) => sum + error.count, 0);
  add(`${CROWD} clients: connected`, run?.ramp.connected);
  add(`${CROWD} clients: attempts refused or timed out`, refused);
  add(`${CROWD} clients: failures in the load`, run?.failures);
  add(`${CROWD} clients: seconds until all were connected`, run?.ramp.seconds);
  add(`${CROWD} clients: p99 in ms`, run?.latencyMs?.p99);
}

async function versus(clients: number): Promise<void> {
  const script = join(stateDir, 'one.sql');
  const words = ['--clients', String(clients), '--interval', '0', '--duration', `${seconds}s`];
  const [run] = (await stress(...words, '--script', script)).runs;
  add(`SELECT 1, ${clients} clients, per second: pgherd stress`, run?.perSecond);
  add(`${clients} clients: share of a processor its busiest thread had`, run?.generator.cpu);
  const { document } = await pgherd(stateDir, ['url', NAME, '--endpoint', 'pooler']);
  const cluster = readFileSync(join(stateDir, 'clusters', 'default', NAME, 'cluster.json'), 'utf8');
  const { binDir } = (JSON.parse(cluster) as { postgres: { binDir: string } }).postgres;
  const args = ['-n', '-f', script, '-c', String(clients), '-j', '2', '-T', String(seconds)];
  const output = await pgbench(binDir, (document as { url: string }).url, args);
  add(`SELECT 1, ${clients} clients, per second: pgbench`, tps(output));
}

/** The load that once failed, with and without the pooler. */
async function sideBySide(): Promise<unknown> {
  const { runs: both } = await stress('--fill', '10000', '--compare', '--duration', `${2 * seconds}s`);
  return both.map(run => ({
    endpoint: run.endpoint,
    connected: run.ramp.connected,
    'times 53300': [...run.ramp.errors, ...run.errors]
      .filter(({ code }) => code === '53300')
      .reduce((sum, { count }) => sum + count, 0),
    failures: run.failures,
    perSecond: run.perSecond,
    latencyMs: run.latencyMs,
    verdict: run.verdict,
  }));
}

async function stress(...words: string[]): Promise<StressDocument> {
  return (await pgherd(stateDir, ['stress', NAME, ...words])).document as StressDocument;
}

function add(key: string, value: number | undefined): void {
  samples[key] = [...(samples[key] ?? []), value ?? Number.NaN];
}
