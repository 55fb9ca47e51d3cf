import { readFile } from 'node:fs/promises';
import type { EndpointName } from '../../core/manifest/spec.ts';
import { POOLER_CLIENTS } from '../../engine/pgbouncer/config.ts';
import { codeOf, RefusedError } from '../../lib/errors.ts';
import { sleep } from '../../lib/time.ts';
import type { ClusterRef, PlatformCluster } from '../../platform/contract.ts';
import { checkSize, type FillResult, fill, TABLE } from './fill.ts';
import type { Load } from './load.ts';
import { checkClients, machineLimits } from './machine.ts';
import { checkScript, checkTable, makeWriteTable } from './prepare.ts';
import type { LoadResult } from './result.ts';
import { type Live, runLoad } from './runner.ts';
import { openSession, type Target } from './target.ts';
import { compare, type Judgement, judge } from './verdict.ts';

/** What is to be done, complete and free of contradictions. */
export interface StressWish {
  load: Load;
  /** The path of `load.script`, for messages. */
  scriptName: string | undefined;
  /** One, or with `compare` the direct one and then the pooled one. */
  endpoints: EndpointName[];
  user: string;
  password: string;
  database: string;
  fill: { rows: number; seed: number } | undefined;
}

export interface StressContext {
  signal: AbortSignal;
  progress(message: string): void;
  onLive(endpoint: EndpointName, live: Live): void;
}

export interface StressRun {
  endpoint: EndpointName;
  host: string;
  port: number;
  result: LoadResult;
  judgement: Judgement;
}

export interface StressOutcome {
  ref: ClusterRef;
  /** ISO 8601. */
  startedAt: string;
  wish: Omit<StressWish, 'password'>;
  fill: FillResult | undefined;
  /** In the order in which they ran; empty when only a fill was asked for. */
  runs: StressRun[];
  judgement: Judgement;
}

/** Between the two loads of a comparison: servers notice that the clients have gone. */
const BREATH_MS = 1_500;

/**
 * Fills the table if that is asked for, checks everything that could make the load a waste of time, and runs it
 * through each endpoint. Rejects with a RefusedError before any load when something is wrong; an abort of the signal
 * during the load ends it with what was measured.
 */
export async function stressTest(
  cluster: PlatformCluster,
  wish: StressWish,
  context: StressContext,
): Promise<StressOutcome> {
  const { ref } = cluster;
  const { load } = wish;
  const startedAt = new Date().toISOString();
  const filling =
    wish.fill === undefined ? undefined : { ...wish.fill, volumeBytes: cluster.spec.volume.sizeBytes };
  if (filling !== undefined) checkSize(filling);
  if (load.durationMs > 0) {
    checkClients(load.clients, machineLimits());
    for (const endpoint of wish.endpoints) checkPooler(cluster, endpoint, load.clients);
  }
  const between = await cluster.access.reach(context.signal);
  const ca = await readFile(await cluster.access.caFile(), 'utf8');
  const targetOf = (endpoint: EndpointName): Target => {
    const { host, port } = addressOf(cluster, endpoint);
    return { host, port, database: wish.database, user: wish.user, password: wish.password, ca };
  };

  let filled: FillResult | undefined;
  if (filling !== undefined) {
    const total = filling.rows.toLocaleString('en-US');
    filled = await fill(ref.name, targetOf('primary'), filling, {
      signal: context.signal,
      progress: rows =>
        context.progress(
          rows < filling.rows
            ? `filling ${TABLE}: ${rows.toLocaleString('en-US')} of ${total} rows`
            : `filling ${TABLE}: ${total} rows sent; index, commit, statistics`,
        ),
    });
  }

  const runs: StressRun[] = [];
  const notes = between === undefined ? [] : [between];
  await using cleanup = new AsyncDisposableStack();
  if (load.durationMs > 0) {
    context.progress('checking what the clients will do');
    for (const endpoint of wish.endpoints) {
      const { empty } = await check(
        ref.name,
        targetOf(endpoint),
        wish,
        filled !== undefined,
        context.signal,
      ).catch(error => refusedByPrimary(ref.name, targetOf('primary'), error, context.signal));
      const nothing = `${TABLE} has no rows: readers read nothing (--fill)`;
      if (empty && !notes.includes(nothing)) notes.push(nothing);
    }
    const [first] = wish.endpoints;
    if (load.writeRatio > 0 && first !== undefined)
      cleanup.use(await makeWriteTable(ref.name, targetOf(first), context.signal));
    for (const endpoint of wish.endpoints) {
      if (runs.length > 0) await sleep(BREATH_MS, context.signal).catch(() => {});
      if (context.signal.aborted) break;
      runs.push(await runOne(cluster, targetOf(endpoint), endpoint, load, context));
    }
  }
  const { password: _, ...kept } = wish;
  const judgement = judgementOf(runs, filled);
  return {
    ref,
    startedAt,
    wish: kept,
    fill: filled,
    runs,
    judgement: { ...judgement, notes: [...notes, ...judgement.notes] },
  };
}

async function runOne(
  cluster: PlatformCluster,
  target: Target,
  endpoint: EndpointName,
  load: Load,
  context: StressContext,
): Promise<StressRun> {
  const note = async (event: string, message: string, reason?: string): Promise<void> =>
    await cluster.journal.append({ actor: 'stress', event, subject: endpoint, message, reason });
  // Whoever wonders later why everything was slow finds it.
  await note('load-began', `a stress test with ${load.clients} clients for ${load.durationMs / 1_000} s`);
  const result = await runLoad(target, load, {
    signal: context.signal,
    onLive: live => context.onLive(endpoint, live),
  });
  const { host, port } = target;
  const judgement = judge(result, load.connectEachTime);
  await note('load-ended', `the stress test ${judgement.verdict}`, judgement.sentence);
  return { endpoint, host, port, result, judgement };
}

function judgementOf(runs: readonly StressRun[], filled: FillResult | undefined): Judgement {
  const [first, second] = runs;
  if (first !== undefined && second !== undefined)
    return compare(first.result, second.result, second.judgement);
  if (first !== undefined) return { ...first.judgement, notes: [] };
  const rows = (filled?.rows ?? 0).toLocaleString('en-US');
  const sentence = filled === undefined ? 'stopped before any load' : `${TABLE} has ${rows} rows now`;
  return { verdict: 'passed', sentence, notes: [] };
}

async function check(
  cluster: string,
  target: Target,
  { load, scriptName }: StressWish,
  fresh: boolean,
  signal: AbortSignal,
): Promise<{ empty: boolean }> {
  if (load.script === undefined) return await checkTable(cluster, target, { fresh, signal });
  await checkScript(cluster, target, { name: scriptName ?? 'the script', text: load.script }, signal);
  return { empty: false };
}

/** A pooler does not answer at all where the primary would say why, a database that does not exist for example. */
async function refusedByPrimary(
  cluster: string,
  primary: Target,
  error: unknown,
  signal: AbortSignal,
): Promise<never> {
  if (codeOf(error) === 'not-reachable') {
    const better = await openSession(cluster, primary, signal).then(
      session => session[Symbol.asyncDispose](),
      (reason: unknown) => reason,
    );
    if (codeOf(better) === 'login-refused') throw better;
  }
  throw error;
}

function addressOf(cluster: PlatformCluster, endpoint: EndpointName): { host: string; port: number } {
  const address = cluster.access.endpoint(endpoint);
  if (address !== undefined) return address;
  throw new RefusedError({
    code: 'no-such-endpoint',
    message: `${cluster.ref.name} has no endpoint ${endpoint}: its manifest does not ask for one`,
  });
}

/** PgBouncer refuses clients above its own limit, with a message that looks like the database's. */
function checkPooler(cluster: PlatformCluster, endpoint: EndpointName, clients: number): void {
  if (endpoint !== 'pooler' && endpoint !== 'poolerStandby') return;
  const processes = cluster.desired().components.filter(({ kind }) => kind === endpoint).length;
  const most = POOLER_CLIENTS * Math.max(1, processes);
  if (clients <= most) return;
  throw new RefusedError({
    code: 'too-many-clients',
    message: `the pooler takes at most ${most.toLocaleString('en-US')} clients`,
    hint: `take fewer: --clients ${most}`,
  });
}
