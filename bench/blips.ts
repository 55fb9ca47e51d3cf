/**
 * What must cause no failover: under the load of 20 writers, the primary's host is cut off for 500 ms, its disk hangs
 * for 2 s, its PostgreSQL stands still for 500 ms, and all processors are taken for 5 s, in turns, for an hour. Counts
 * the failovers (a new timeline) and what the sentinel did. Needs root.
 *
 *   node bench/blips.ts [MINUTES]     default 60
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventsDocument, StatusDocument } from '../src/cli/schema.ts';
import type { StressDocument } from '../src/cli/stress/schema.ts';
import type { Fault } from '../src/core/drill/fault.ts';
import type { PlatformCluster } from '../src/platform/contract.ts';
import { createLocalPlatform } from '../src/platform/local/index.ts';
import { defaultToolsDir } from '../src/platform/local/setup/index.ts';
import { keep, load, MANIFEST, pgherd } from './support.ts';

const NAME = 'wichtige-daten-3';
const minutes = Number(process.argv[2] ?? 60);
/** Between two blips: the sentinel must be calm again. */
const REST_MS = 4_000;
const BURNERS_MS = 5_000;
/** 20 writers, 10 ms apart. */
const WRITERS = ['--clients', '20', '--interval', '200ms', '--write-ratio', '1', '--duration', '40s'];
const toolsDir = defaultToolsDir(process.env, process.getuid?.() ?? -1);
process.env.PGHERD_TOOLS_DIR = toolsDir;

const stateDir = mkdtempSync('/tmp/pgherd-bench-');
chmodSync(stateDir, 0o755);
const counts: Record<string, number> = {};
try {
  await pgherd(stateDir, ['up', MANIFEST, '--isolate', '--allow-drills']);
  const platform = createLocalPlatform({
    stateDir,
    toolsDir,
    launch: { node: process.execPath, main: '' },
    onSetup: () => {},
  });
  using cluster = await platform.open({ name: NAME, namespace: 'default' }, AbortSignal.timeout(60_000));
  const before = await primary();
  await pgherd(stateDir, ['stress', NAME, '--fill', '10000', '--duration', '0']);
  const until = Date.now() + minutes * 60_000;
  const loads: number[] = [];
  const failures: number[] = [];
  const failovers: string[] = [];
  let timeline = before.timeline;
  while (Date.now() < until) {
    const running = pgherd(stateDir, ['stress', NAME, ...WRITERS]);
    for (const [name, blip] of blips(cluster, (await primary()).name)) {
      await delay(REST_MS);
      await blip();
      counts[name] = (counts[name] ?? 0) + 1;
    }
    const [run] = ((await running).document as StressDocument).runs;
    failures.push(run?.failures ?? Number.NaN);
    loads.push(load());
    const now = await primary();
    if (now.timeline !== timeline) failovers.push(`timeline ${now.timeline} after ${JSON.stringify(counts)}`);
    timeline = now.timeline;
  }
  const { events } = (await pgherd(stateDir, ['events', NAME])).document as EventsDocument;
  const deeds: Record<string, number> = {};
  const sentinel = events.filter(({ actor }) => actor === 'sentinel');
  for (const { event } of sentinel) deeds[event] = (deeds[event] ?? 0) + 1;
  keep('blips', {
    minutes,
    blips: counts,
    failovers,
    'what the sentinel did': deeds,
    'fences and revocations': sentinel
      .filter(({ event }) => event === 'sentinel-fence' || event === 'sentinel-revoke')
      .map(({ message }) => message),
    'statements that failed, of each 40 s of load': failures,
    'load average after each': loads,
  });
} finally {
  await pgherd(stateDir, ['destroy', NAME, '--yes-destroy', NAME]);
  rmSync(stateDir, { recursive: true, force: true });
}

function blips(cluster: PlatformCluster, member: string): [string, () => Promise<void>][] {
  const cut: Fault = { kind: 'cut', member, peers: 'everyone', direction: 'both' };
  return [
    ['host cut off for 500 ms', () => faultFor(cluster, cut, 500)],
    ['disk hangs for 2 s', () => faultFor(cluster, { kind: 'freeze-volume', member }, 2_000)],
    ['PostgreSQL stands still for 500 ms', () => faultFor(cluster, signal(member), 500)],
    [`processors taken for ${BURNERS_MS / 1000} s`, burn],
  ];
}

function signal(member: string): Fault {
  return { kind: 'signal', member, process: 'postmaster', signal: 'STOP' };
}

async function faultFor(cluster: PlatformCluster, fault: Fault, ms: number): Promise<void> {
  const injection = await cluster.faults.inject(fault, AbortSignal.timeout(30_000));
  await delay(ms - (Date.now() - injection.at));
  await injection.undo(AbortSignal.timeout(30_000));
}

/** Four busy loops for each processor. */
async function burn(): Promise<void> {
  const burners: ChildProcess[] = cpus().flatMap(() =>
    Array.from({ length: 4 }, () => spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' })),
  );
  await delay(BURNERS_MS);
  for (const burner of burners) burner.kill('SIGKILL');
}

/** On a machine without a processor to spare `status` itself may run into its deadline. */
async function primary(): Promise<{ name: string; timeline: number | undefined }> {
  let last: unknown;
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      const { members } = (await pgherd(stateDir, ['status', NAME])).document as StatusDocument;
      const found = members.find(({ role }) => role === 'primary');
      if (found !== undefined) return { name: found.name, timeline: found.timeline ?? undefined };
      last = new Error('nobody is primary');
    } catch (error) {
      last = error;
    }
    await delay(1_000);
  }
  throw last;
}
