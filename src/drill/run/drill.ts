/** One drill from the first look to the report. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease, Scenario } from '../../core/drill/scenario.ts';
import { defaultThresholds } from '../../core/failover/thresholds.ts';
import type { EndpointName } from '../../core/manifest/spec.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { judge } from '../../core/topology/verdict.ts';
import { messageOf, RefusedError } from '../../lib/errors.ts';
import { sleep, withDeadline } from '../../lib/time.ts';
import type { ApplyContext, PlatformCluster } from '../../platform/contract.ts';
import { LedgerLoad } from '../load/ledgerLoad.ts';
import { type LoadPath, loadPaths } from '../load/paths.ts';
import { prepareLedger, readLedgers } from './ledgers.ts';
import { obstacleOf } from './obstacles.ts';
import { reportPage } from './page.ts';
import { type DrillReport, reportOf } from './report.ts';
import { type Operations, Performance } from './steps.ts';
import { now, Watch } from './watch.ts';

export interface DrillOptions {
  scenario: Scenario;
  cluster: PlatformCluster;
  operations: Operations;
  /** Login of the load: an ordinary user of the cluster and a database. */
  login: { user: string; database: string };
  /** The only one that the load comes through; undefined: all that there are. */
  endpoint?: EndpointName | undefined;
  /** PEM of the cluster's authority. */
  ca: string;
  /** A directory of its own for this run; made here. */
  directory: string;
  /** The fault must be over and the cluster whole within so long after the load began. */
  capMs: number;
}

/** Without a fault, before and after: what undisturbed looks like. */
const CLEAN_MS = 2_000;
const ANSWER_MS = 30_000;
const LOOK_EVERY_MS = 500;
/** The cluster counts as whole when it looks so for this long. */
const STEADY_MS = 1_500;

/**
 * Runs a drill. Rejects with RefusedError before anything is touched, when the cluster is not whole or the fault is
 * impossible here. Every way out undoes the fault. A cluster that is not whole within the cap is a result, told in the
 * report.
 */
export async function runDrill(options: DrillOptions, context: ApplyContext): Promise<DrillReport> {
  const { scenario, cluster, directory, capMs } = options;
  const { signal } = context;
  const observed = await requireWhole(cluster, context);
  const primary = observed.members.find(member => member.role === 'primary')?.name ?? '';
  const obstacle = await obstacleOf(scenario, cluster, observed, primary);
  if (obstacle !== undefined) {
    throw new RefusedError({
      code: 'drill-impossible',
      message: `${scenario.id} ${scenario.name} cannot run on ${cluster.ref.name}: ${obstacle}`,
    });
  }
  await untilCalm(cluster, context);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const members = observed.members.map(({ name, address }) => ({ name, address }));
  const between = await cluster.access.reach(signal);
  const { login, ca, endpoint } = options;
  const paths = await loadPaths(cluster, { login, ca, members, endpoint });
  await prepareLedger(cluster, primary, options.login, signal);
  const lease = { ttlMs: (observed.config?.ttl ?? 30) * 1000 };
  await cluster.journal.append({
    actor: 'drill',
    event: 'drill-started',
    subject: scenario.id,
    message: scenario.title,
    reason: undefined,
  });
  const run = randomUUID();
  const evidence = await underLoad(options, { run, paths, primary, lease }, context);
  context.progress('reading the ledger on every member');
  const ledgers = await readLedgers(cluster, members, options.login.database, {
    run,
    whole: evidence.wholeAt !== undefined,
    signal,
  });
  if (endpoint !== undefined)
    evidence.performed.notes.push(`the load came through the endpoint ${endpoint} only`);
  if (between !== undefined) evidence.performed.notes.push(between);
  const promise = judge(observed, cluster.spec).promise;
  const report = reportOf({
    scenario,
    cluster: cluster.ref,
    mode: promise.mode,
    lease,
    ...evidence,
    members: ledgers,
    memberNames: members.map(({ name }) => name),
    capMs,
    directory,
  });
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, jsonValue, 2)}\n`, {
    mode: 0o600,
  });
  await writeFile(join(directory, 'report.html'), reportPage(report), { mode: 0o600 });
  await cluster.journal.append({
    actor: 'drill',
    event: report.verdict.kept ? 'drill-kept' : 'drill-broken',
    subject: scenario.id,
    message: report.verdict.broken[0] ?? `${scenario.title}: the promise was kept`,
    reason: undefined,
  });
  return report;
}

/** The sentinel does not act twice within its cool-down: what follows a failover too closely measures that instead. */
async function untilCalm(cluster: PlatformCluster, { signal, progress }: ApplyContext): Promise<void> {
  const { coolDownMs } = defaultThresholds;
  const lately = await cluster.journal.read({ since: new Date(Date.now() - coolDownMs) });
  const last = lately.findLast(({ event }) => event === 'sentinel-revoke' || event === 'sentinel-fence');
  if (last === undefined) return;
  progress("waiting for the end of the sentinel's cool-down");
  await sleep(Math.max(0, Date.parse(last.at) + coolDownMs + 1_000 - Date.now()), signal);
}

/** Load, fault, undo, recovery. */
async function underLoad(
  options: DrillOptions,
  { run, paths, primary, lease }: { run: string; paths: LoadPath[]; primary: string; lease: Lease },
  context: ApplyContext,
) {
  const { scenario, cluster, directory, capMs } = options;
  using cap = withDeadline(context.signal, `drill ${scenario.id}`, capMs);
  const within: ApplyContext = { ...context, signal: cap };
  await using load = new LedgerLoad({ run, paths, historyFile: join(directory, 'history.jsonl') });
  await using watch = new Watch(
    cluster,
    paths.flatMap(({ name }) => (name.startsWith('inside ') ? [name.slice(7)] : [])),
  );
  context.progress('starting the load');
  const applications = [...load.endpointPaths('write'), ...load.endpointPaths('read')];
  await load.untilAnswered(applications, ANSWER_MS, context.signal);
  const loadBegan = now();
  await sleep(CLEAN_MS, context.signal);
  await using performance = new Performance(
    { cluster, load, watch, operations: options.operations, lease, login: options.login, context: within },
    primary,
  );
  // That the cap has passed, or that a step failed on a torn cluster, is what the drill found out.
  const found = (error: unknown) => {
    context.signal.throwIfAborted();
    performance.result.notes.push(messageOf(error));
    return undefined;
  };
  await performance.perform(scenario).catch(found);
  await performance.undoAll();
  const wholeAt = await untilWhole(cluster, load, applications, within).catch(found);
  await sleep(CLEAN_MS, context.signal);
  // Clients send nothing more while they end: that silence is no outage.
  const loadEnded = now();
  const history = await load.stop();
  const samples = { members: watch.members, leaders: watch.leaders };
  return { ...history, performed: performance.result, samples, loadBegan, loadEnded, wholeAt };
}

/** Resolves with the moment since which the cluster looks whole and every path is answered. */
async function untilWhole(
  cluster: PlatformCluster,
  load: LedgerLoad,
  applications: string[],
  context: ApplyContext,
): Promise<number> {
  let since: number | undefined;
  let said = '';
  for (;;) {
    const observed = await cluster.observe({ catalog: false }, context.signal);
    const { verdict, reasons } = judge(observed, cluster.spec);
    if (verdict === 'healthy') {
      since ??= now();
      if (now() - since > STEADY_MS) break;
    } else {
      since = undefined;
      const reason = reasons[0] ?? verdict;
      if (reason !== said) context.progress(`waiting until the cluster is whole: ${reason}`);
      said = reason;
    }
    await sleep(LOOK_EVERY_MS, context.signal);
  }
  await load.untilAnswered(applications, ANSWER_MS, context.signal);
  return since;
}

async function requireWhole(
  cluster: PlatformCluster,
  { signal, progress }: ApplyContext,
): Promise<Observation> {
  progress('looking at the cluster');
  const [registered] = await cluster.faults.registered();
  if (registered !== undefined) {
    throw new RefusedError({
      code: 'drill-running',
      message: `a fault of ${registered.at} is not undone yet: ${registered.description}`,
      hint: registered.owned
        ? 'another drill is under way on this cluster: wait for its end'
        : `take it back: pgherd drill clean ${cluster.ref.name}`,
    });
  }
  const observed = await cluster.observe({ catalog: false }, signal);
  const { verdict, sentence } = judge(observed, cluster.spec);
  if (verdict === 'healthy') return observed;
  throw new RefusedError({
    code: 'not-whole',
    message: `a drill begins on a cluster that is whole, and ${cluster.ref.name} is ${sentence}`,
    hint: `see pgherd status ${cluster.ref.name}; nothing was touched`,
  });
}

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
