/** What is measured: pgherd as a user runs it, and the baselines. All by the same drills, load and evaluation. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { drillToDocument } from '../../src/cli/drill/render.ts';
import type { DrillDocument } from '../../src/cli/drill/schema.ts';
import { scenarioOf } from '../../src/core/drill/scenarios.ts';
import { judge } from '../../src/core/topology/verdict.ts';
import { runDrill } from '../../src/drill/run/drill.ts';
import { PgherdError } from '../../src/lib/errors.ts';
import { run } from '../../src/lib/exec.ts';
import { sleep } from '../../src/lib/time.ts';
import type { PlatformCluster } from '../../src/platform/contract.ts';
import type { Tools } from '../../src/platform/local/setup/index.ts';
import { Baseline } from '../plain/baseline.ts';
import { clusterOf, operationsOn } from '../plain/cluster.ts';
import { LOGIN } from '../plain/layout.ts';
import { BASELINES } from '../plain/settings.ts';
import { MANIFEST, ROOT } from '../support.ts';

export const SYSTEMS = ['pgherd', 'plain', 'fast'] as const;
export type SystemName = (typeof SYSTEMS)[number];
export type DrillRun = DrillDocument['drills'][number]['runs'][number];

export interface System {
  /** Makes a cluster and resolves when it serves. */
  start(signal: AbortSignal): Promise<void>;
  /** One drill on it. undefined: this fault is impossible here. Rejects when there is no report. */
  drill(fault: string, signal: AbortSignal): Promise<DrillRun | undefined>;
  /** Takes the cluster away; may be repeated. */
  stop(): Promise<void>;
}

export interface SystemOptions {
  tools: Tools;
  /** Each of pgherd's members on a host of its own. The baselines always have that. */
  isolate: boolean;
  /** Where histories and pages are kept; undefined: nowhere. */
  reports: string | undefined;
  /** The only one that the load comes through; undefined: all. */
  endpoint: 'pooler' | undefined;
}

/** For one drill, as the command's own default. */
const CAP_MS = 5 * 60_000;
/** The cap, and what comes before and after it. */
const DRILL_MS = CAP_MS + 5 * 60_000;
const COMMAND_MS = 5 * 60_000;
/** Longest time to wait for a cluster to become whole after its start, or after the drill before. */
const WHOLE_MS = 60_000;
const NAME = 'wichtige-daten-3';

export function systemOf(name: SystemName, options: SystemOptions): System {
  return name === 'pgherd' ? new Pgherd(options) : new Plain(name, options);
}

class Pgherd implements System {
  readonly #options: SystemOptions;
  #stateDir: string | undefined;

  constructor(options: SystemOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#stateDir = mkdtempSync('/tmp/pgherd-bench-');
    chmodSync(this.#stateDir, 0o755);
    const isolate = this.#options.isolate ? ['--isolate'] : [];
    await this.#pgherd(['up', MANIFEST, '--allow-drills', ...isolate], COMMAND_MS, signal);
  }

  async drill(fault: string, signal: AbortSignal): Promise<DrillRun | undefined> {
    const { reports, endpoint } = this.#options;
    const kept = reports === undefined ? [] : ['--reports', join(reports, 'pgherd')];
    const through = endpoint === undefined ? [] : ['--endpoint', endpoint];
    const attempt = () => this.#pgherd(['drill', NAME, fault, ...kept, ...through], DRILL_MS, signal);
    let document = await attempt();
    for (const end = Date.now() + WHOLE_MS; document.error?.code === 'not-whole' && Date.now() < end; ) {
      await sleep(1_000, signal);
      document = await attempt();
    }
    if (document.error?.code === 'drill-impossible') {
      process.stderr.write(`pgherd ${fault}: left out: ${document.error.message}\n`);
      return undefined;
    }
    const run = document.drills?.[0]?.runs[0];
    if (run !== undefined) return run;
    const { code, message } = document.error ?? { code: 'defect', message: 'the drill gave no report' };
    throw new PgherdError({ code, message });
  }

  async stop(): Promise<void> {
    const stateDir = this.#stateDir;
    if (stateDir === undefined) return;
    const argv = ['destroy', NAME, '--yes-destroy', NAME];
    const { error } = await this.#pgherd(argv, COMMAND_MS, AbortSignal.timeout(COMMAND_MS));
    this.#stateDir = undefined;
    // A start that was refused has made no cluster.
    if (error !== undefined && error.code !== 'no-such-cluster') {
      process.stderr.write(`the cluster below ${stateDir} is left: ${error.message}\n`);
      return;
    }
    rmSync(stateDir, { recursive: true, force: true });
  }

  /** 1: the promise was broken, which is a result here; an error of the command has a document, too. */
  async #pgherd(args: string[], timeoutMs: number, signal: AbortSignal) {
    const stateDir = this.#stateDir ?? '';
    const argv = [join(ROOT, 'pgherd'), '--state-dir', stateDir, '--output', 'json', ...args] as const;
    const result = await run(argv, {
      signal,
      timeoutMs,
      okCodes: args[0] === 'up' ? [0, 2] : [0, 1, 2],
      // A Ctrl-C comes to us; the command is then told to end, and takes its fault back.
      detached: true,
      killGraceMs: 90_000,
    });
    return JSON.parse(result.stdout) as Partial<DrillDocument> & {
      error?: { code: string; message: string };
    };
  }
}

class Plain implements System {
  readonly #name: 'plain' | 'fast';
  readonly #options: SystemOptions;
  #baseline: Baseline | undefined;
  #runs = 0;

  constructor(name: 'plain' | 'fast', options: SystemOptions) {
    this.#name = name;
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#baseline = await Baseline.start(BASELINES[this.#name], this.#options.tools, signal);
  }

  async drill(fault: string, signal: AbortSignal): Promise<DrillRun | undefined> {
    const baseline = this.#baseline;
    const asked = scenarioOf(fault);
    if (baseline === undefined || asked === undefined) throw new Error(`there is no drill ${fault}`);
    // That is what pgherd's promise rests on: of a baseline nothing is promised.
    const scenario = { ...asked, needs: { ...asked.needs, synchronous: false } };
    this.#runs += 1;
    const place = this.#options.reports ?? baseline.ground.directory;
    const stamp = new Date().toISOString().replace(/[-:]|\..*/g, '');
    const directory = join(place, this.#name, `${stamp}-${fault}-${this.#runs}`);
    const cluster = clusterOf(baseline);
    const operations = operationsOn(baseline);
    const progress = (message: string) => process.stderr.write(`  ${this.#name} ${fault}: ${message}\n`);
    const { endpoint } = this.#options;
    const load = { login: LOGIN, ca: baseline.ca, endpoint };
    const what = { scenario, cluster, operations, ...load, directory, capMs: CAP_MS };
    await untilWhole(cluster, signal);
    const report = await runDrill(what, { signal, progress }).catch((error: unknown) => {
      if (error instanceof PgherdError && error.code === 'drill-impossible') return undefined;
      throw error;
    });
    if (report === undefined) return undefined;
    const outcome = { ref: cluster.ref, reports: [report], skipped: [], ended: undefined };
    return drillToDocument({ ...outcome, durationMs: 0, exitCode: 0 }).drills[0]?.runs[0];
  }

  async stop(): Promise<void> {
    await this.#baseline?.[Symbol.asyncDispose]();
    this.#baseline = undefined;
  }
}

/** Drills begin on a cluster that is whole. One that is not in time is refused by the drill, with the reason. */
async function untilWhole(cluster: PlatformCluster, signal: AbortSignal): Promise<void> {
  const isWhole = async () => judge(await cluster.observe({ catalog: false }, signal), cluster.spec);
  for (const end = Date.now() + WHOLE_MS; Date.now() < end; await sleep(500, signal)) {
    if ((await isWhole()).verdict === 'healthy') return;
  }
}
