/**
 * Every drill, several times, on clusters made for it: pgherd, and beside it plain Patroni with HAProxy and PgBouncer
 * twice, with defaults and with the fastest settings. Rounds: in each, one system after the other is made, drilled and
 * taken away. Each run is kept at once, so an end by Ctrl-C costs nothing but the run under way. Needs root.
 *
 *   node bench/drills.ts [--runs 5] [--faults A1,H3] [--systems pgherd,plain,fast] [--append | --fresh]
 *                        [--endpoint pooler] [--no-isolate] [--reports DIRECTORY]
 *   node bench/drills.ts --page [--write | --check]     the tables of docs/measured.md, from the results kept
 *
 * Without --faults: pgherd all that can be injected, the baselines those they are compared in. What is measured
 * replaces what was kept of the same fault and system; --append adds to it, --fresh forgets all of the same load.
 * --endpoint: the load comes through this one alone, as that of one application does; kept apart from the other.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Scenario } from '../src/core/drill/scenario.ts';
import { SCENARIOS, scenarioOf } from '../src/core/drill/scenarios.ts';
import { messageOf, PgherdError } from '../src/lib/errors.ts';
import { run } from '../src/lib/exec.ts';
import { defaultToolsDir, inspectTools, isReady, type Tools } from '../src/platform/local/setup/index.ts';
import { tables, withTables } from './drills/page.ts';
import { beginResults, change, type Facts, keptRun, readResults } from './drills/results.ts';
import { SYSTEMS, type System, type SystemName, systemOf } from './drills/systems.ts';
import { BASELINES } from './plain/settings.ts';
import { load, ROOT } from './support.ts';

/** Where the baselines are measured, too. */
const COMPARED = ['A1', 'A3', 'A6', 'B1', 'C1', 'C4', 'D1', 'E2', 'H1', 'H3', 'H4'];
const PAGE = join(ROOT, 'docs', 'measured.md');

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    runs: { type: 'string', default: '5' },
    faults: { type: 'string' },
    systems: { type: 'string', default: SYSTEMS.join(',') },
    append: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    endpoint: { type: 'string' },
    isolate: { type: 'boolean', default: true },
    reports: { type: 'string' },
    page: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

/** Ctrl-C, and what stops us: what was started is taken away, then we end. */
const interruption = new AbortController();
try {
  if (options.page) page();
  else await measure(interruption.signal);
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.stderr.write(`${messageOf(interruption.signal.reason)}: all that was started is taken away\n`);
  process.exitCode = 130;
}

function page(): void {
  const results = { all: readResults('drills'), pooler: readResults('drills-pooler') };
  if (!options.write && !options.check) {
    process.stdout.write(tables(results));
    return;
  }
  const before = readFileSync(PAGE, 'utf8');
  const after = withTables(before, results);
  if (options.write) writeFileSync(PAGE, after);
  else if (before !== after) {
    process.stderr.write(
      'docs/measured.md is not what the results say: node bench/drills.ts --page --write\n',
    );
    process.exitCode = 1;
  }
}

async function measure(signal: AbortSignal): Promise<void> {
  const systems = options.systems.split(',').map(name => {
    const system = SYSTEMS.find(known => known === name);
    if (system === undefined) throw new Error(`no system is called ${name}: ${SYSTEMS.join(', ')}`);
    return system;
  });
  const { endpoint } = options;
  if (endpoint !== undefined && endpoint !== 'pooler') {
    throw new Error(`--endpoint ${endpoint}: pooler, or none for all`);
  }
  const runs = Number(options.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${options.runs}: a number from 1 on`);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => interruption.abort(new Error(`ended by ${name}`)));
  }
  const tools = await inspect(signal);
  const commit = await revision(signal);
  const facts = factsOf(tools, endpoint);
  beginResults(facts, options.fresh);
  const begun = new Set<string>();

  for (let round = 1; round <= runs; round++) {
    for (const name of systems) {
      const { isolate, reports } = options;
      const system = systemOf(name, { tools, isolate, reports, endpoint });
      const say = (text: string) => process.stderr.write(`${round}/${runs} ${name}: ${text}\n`);
      const record = (fault: Scenario, edit: Parameters<typeof change>[3]) => {
        const first = !begun.has(`${name} ${fault.id}`);
        begun.add(`${name} ${fault.id}`);
        change(facts, fault, name, list => {
          if (first && !options.append) Object.assign(list, { runs: [], failures: [] });
          edit(list);
        });
      };
      await drillAll({ system, faults: chosen(name), say, signal }, async (fault, attempt) => {
        const circumstances = { commit, load: load(), isolated: name !== 'pgherd' || options.isolate };
        try {
          const found = await attempt();
          if (found === undefined) return true;
          const kept = keptRun(found, circumstances);
          record(fault, ({ runs }) => runs.push(kept));
          const { writeOutageMs, wholeAfterMs, lost, dualAcknowledged } = kept;
          const whole = wholeAfterMs === null ? 'never' : `after ${wholeAfterMs} ms`;
          say(
            `${fault.id}: writes stood still for ${writeOutageMs} ms, whole ${whole}, ${lost} lost, ${dualAcknowledged} dual`,
          );
          return wholeAfterMs !== null;
        } catch (error) {
          signal.throwIfAborted();
          const code = error instanceof PgherdError ? error.code : 'defect';
          const at = new Date().toISOString();
          record(fault, ({ failures }) => failures.push({ at, commit, load: circumstances.load, code }));
          say(`${fault.id}: no report: ${messageOf(error)}`);
          return false;
        }
      });
    }
  }
}

interface Series {
  system: System;
  faults: readonly Scenario[];
  say(text: string): void;
  signal: AbortSignal;
}

type Attempt = () => ReturnType<System['drill']>;

/** Drills one cluster with all faults; after one that left it torn, another cluster takes its place. */
async function drillAll(
  { system, faults, say, signal }: Series,
  drill: (fault: Scenario, attempt: Attempt) => Promise<boolean>,
): Promise<void> {
  let up = false;
  try {
    for (const fault of faults) {
      const attempt = async () => {
        if (!up) {
          say('making a cluster');
          await system.start(signal);
          up = true;
        }
        return await system.drill(fault.id, signal);
      };
      if (await drill(fault, attempt)) continue;
      await system.stop();
      up = false;
    }
  } finally {
    await system.stop();
  }
}

function chosen(name: SystemName): readonly Scenario[] {
  if (options.faults === undefined) {
    return name === 'pgherd' ? SCENARIOS : SCENARIOS.filter(({ id }) => COMPARED.includes(id));
  }
  return options.faults.split(',').map(word => {
    const scenario = scenarioOf(word);
    if (scenario === undefined) throw new Error(`there is no fault ${word}: see pgherd drill --list`);
    return scenario;
  });
}

async function inspect(signal: AbortSignal): Promise<Tools> {
  const uid = process.getuid?.() ?? -1;
  const toolsDir = defaultToolsDir(process.env, uid);
  process.env.PGHERD_TOOLS_DIR = toolsDir;
  const report = await inspectTools({ majorWanted: undefined, toolsDir, isolation: true, signal });
  if (!isReady(report)) throw new Error('run `./pgherd setup` first');
  return report.tools;
}

async function revision(signal: AbortSignal): Promise<string> {
  const git = async (...args: string[]) =>
    (await run(['git', '-C', ROOT, ...args], { signal, timeoutMs: 10_000 })).stdout.trim();
  const changed = (await git('status', '--porcelain', '--', 'src')) !== '';
  return `${await git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
}

function factsOf(tools: Tools, endpoint: 'pooler' | undefined): Facts {
  const { postgres, patroni, etcd, haproxy, pgbouncer } = tools;
  const everywhere = "each of HAProxy's and PgBouncer's endpoints";
  const where = endpoint === undefined ? everywhere : `the endpoint ${endpoint} alone`;
  return {
    name: endpoint === undefined ? 'drills' : `drills-${endpoint}`,
    versions: {
      PostgreSQL: postgres.version,
      Patroni: patroni.version,
      etcd: etcd.version,
      HAProxy: haproxy.version,
      PgBouncer: pgbouncer.version,
    },
    about: {
      load: `on ${where} 20 writers every 200 ms, two more that connect anew each time, and five readers; a writer on each member's own host; TLS and SCRAM`,
      baselines:
        "three network namespaces with one etcd, one Patroni and one PostgreSQL each, HAProxy and PgBouncer outside; data on a volume for each, as pgherd's isolated members have; servers that die are started again after 100 ms, as by systemd; clients and servers use TLS, but etcd, Patroni's REST interface and its health checks do not, where pgherd's do: that favours the baselines",
      [BASELINES.plain.title]: BASELINES.plain.about,
      [BASELINES.fast.title]: BASELINES.fast.about,
    },
  };
}
