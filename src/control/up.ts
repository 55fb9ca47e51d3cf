/**
 * Bringing a cluster to what its manifest asks for: observe, plan, carry out the leading batch, observe again,
 * until nothing is left to do and nothing to wait for. Level-triggered: whatever an earlier run left behind is
 * simply what is observed, so a run that was killed is finished by the next one.
 */
import { performance } from 'node:perf_hooks';
import type { ClusterSpec } from '../core/manifest/spec.ts';
import type { Action, Plan, Step } from '../core/plan/action.ts';
import { nextBatch, plan } from '../core/plan/plan.ts';
import type { Observation } from '../core/topology/observation.ts';
import { DeadlineError, messageOf, PgherdError, RefusedError } from '../lib/errors.ts';
import { sleep } from '../lib/time.ts';
import type { ApplyContext, PlacementOptions, Platform, PlatformCluster } from '../platform/contract.ts';
import { moveHeld, restartHeld } from './choreography.ts';

/** Between two looks while there is only waiting to do: each takes processor time from what is waited for. */
const LOOK_EVERY_MS = 200;
/**
 * Patroni takes its turns once a second; it may take them sooner, also while a look takes long: it holds its answer
 * back for a second when its PostgreSQL is just starting.
 */
const HASTEN_EVERY_MS = 150;
/** How long `up` waits for repositories that it could not make while it waited for servers. */
const REPOSITORIES_MS = 3000;
/** The same steps planned again and again do not bring the cluster further: a person has to look. */
const MAXIMUM_REPEATS = 5;

export interface UpContext extends ApplyContext {
  onStep(step: Step, state: 'started' | 'done' | 'failed', milliseconds: number): void;
  /** How long to wait for another operation on the same cluster. */
  lockWaitMs: number;
  /** How long the whole may take. */
  timeoutMs: number;
  /** Only plan: nothing is touched. */
  dryRun: boolean;
}

export interface UpResult {
  cluster: PlatformCluster;
  /** What was carried out; with `dryRun`, what would be. */
  steps: Step[];
  waiting: string[];
  created: boolean;
  durationMs: number;
  observed: Observation;
}

/** A step was planned again although it had been carried out without an error. */
export class NoProgressError extends PgherdError {}

/**
 * Brings the cluster of a manifest to what it asks for. Rejects with RefusedError before anything is touched,
 * with the error of a step (what was done stays, and is finished by the next call), or with DeadlineError.
 */
export async function applyManifest(
  platform: Platform,
  spec: ClusterSpec,
  manifest: string,
  placement: PlacementOptions,
  context: UpContext,
): Promise<UpResult> {
  const started = performance.now();
  context.progress('looking at the machine');
  const cluster = await platform.adopt(
    spec,
    manifest,
    { ...placement, readOnly: context.dryRun },
    context.signal,
  );
  if (context.dryRun) {
    const observed = await cluster.observe({ catalog: true }, context.signal);
    const { steps, waiting } = plan(cluster.desired(), observed);
    return {
      cluster,
      steps,
      waiting,
      created: !observed.exists,
      durationMs: performance.now() - started,
      observed,
    };
  }
  await using _lock = await cluster.lock('up', {
    waitMs: context.lockWaitMs,
    signal: context.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
  const created = (await cluster.appliedManifest()) === undefined;
  await refuseUnfinishedRestore(cluster);
  await settleFaults(cluster, context);
  await cluster.provision(context);
  await cluster.record();
  const { steps, observed: reached } = await reconcile(cluster, context);
  await cluster.remember(reached);
  const controlPlane = await cluster.guard();
  const members = reached.members.map(member => ({ ...member, since: member.since ?? reached.observedAt }));
  const observed = { ...reached, controlPlane, members };
  return { cluster, steps, waiting: [], created, durationMs: performance.now() - started, observed };
}

/** Between the old data and the restored ones there is no whole cluster, and nobody may begin an empty one. */
async function refuseUnfinishedRestore(cluster: PlatformCluster): Promise<void> {
  const scratch = await cluster.restores.unfinishedSwap();
  if (scratch === undefined) return;
  throw new RefusedError({
    code: 'restore-unfinished',
    message: `the cutover to restore ${scratch.id} was begun and not finished`,
    hint: `finish it: pgherd restore ${cluster.ref.name} --cutover`,
  });
}

/**
 * Mending what a drill breaks would spoil the drill, and what it says would be nobody's doing. Refused while one is
 * under way; what a drill that died has left behind is undone.
 */
async function settleFaults(cluster: PlatformCluster, context: UpContext): Promise<void> {
  const running = (await cluster.faults.registered()).find(({ owned, inForce }) => owned && inForce);
  if (running !== undefined) {
    throw new RefusedError({
      code: 'drill-running',
      message: `a drill is under way: ${running.description}`,
      detail: `since ${running.at}`,
      hint: `wait until it is over, or end it: pgherd drill clean ${cluster.ref.name}`,
    });
  }
  for (const message of await cluster.faults.undo('orphaned', context)) {
    const entry = { actor: 'up', event: 'drill-undone', subject: 'cluster', message };
    await cluster.journal.append({ ...entry, reason: 'the drill that did it is gone' });
  }
}

/** The loop itself, for whoever holds the cluster's lock. Resolves when nothing is left to do or to wait for. */
export async function reconcile(
  cluster: PlatformCluster,
  context: UpContext,
): Promise<{ steps: Step[]; observed: Observation }> {
  const done: Step[] = [];
  const repeats = new Map<string, number>();
  const started = performance.now();
  let awaited = '';
  await using hastener = new Hastener(cluster, context.signal);
  await using repositories = new RepositoryMaker(cluster, context);
  // What nobody else may change meanwhile is read again only after a step has changed it.
  let catalog: Observation['catalog'];
  let config: Observation['config'];
  for (;;) {
    const elapsed = performance.now() - started;
    const options = { catalog: catalog === undefined, withoutConfig: config !== undefined };
    const seen = await cluster.observe(options, context.signal);
    const observed: Observation = {
      ...seen,
      catalog: seen.catalog ?? catalog,
      config: seen.config ?? config,
    };
    ({ catalog, config } = observed);
    const planned = plan(cluster.desired(), observed);
    const batch = nextBatch(planned);
    hastener.awaited = planned.waiting.length === 0 ? undefined : observed;
    if (isDone(planned)) {
      if (!observed.stopped) await repositories.finish();
      return { steps: done, observed };
    }
    if (elapsed > context.timeoutMs) throw tooLate(cluster, planned, context.timeoutMs);
    if (batch.length === 0) {
      repositories.begin(observed);
      const waiting = describeWaiting(planned);
      if (waiting !== awaited) context.progress(waiting);
      awaited = waiting;
      await sleep(LOOK_EVERY_MS, context.signal);
      continue;
    }
    countRepeats(repeats, batch);
    if (batch[0]?.action.kind === 'change-catalog') catalog = undefined;
    if (batch[0]?.action.kind === 'configure') config = undefined;
    await carryOutAll(cluster, batch, context);
    done.push(...batch);
  }
}

/** Hastens the cluster's servers beside the loop, as long as there is something to wait for. */
class Hastener implements AsyncDisposable {
  /** As last seen; undefined: nothing is waited for. */
  awaited: Observation | undefined;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;

  constructor(cluster: PlatformCluster, signal: AbortSignal) {
    this.#running = this.#run(cluster, AbortSignal.any([signal, this.#end.signal]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(cluster: PlatformCluster, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.awaited !== undefined) await cluster.hasten(this.awaited, signal);
      await sleep(HASTEN_EVERY_MS, signal).catch(() => {});
    }
  }
}

/**
 * Makes the repositories of the backups while servers are waited for anyway. What cannot be made by then is the
 * control plane's to try again: a share that is away must not keep a cluster from coming up.
 */
class RepositoryMaker implements AsyncDisposable {
  readonly #cluster: PlatformCluster;
  readonly #context: UpContext;
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  constructor(cluster: PlatformCluster, context: UpContext) {
    this.#cluster = cluster;
    this.#context = context;
  }

  /** Begins once all members run: before that it would take processor time from them. May be repeated. */
  begin({ members }: Observation): void {
    const settled = members.every(({ role, state }) => role === 'primary' || state === 'streaming');
    if (settled && members.length > 0) this.#start();
  }

  async finish(): Promise<void> {
    this.#start();
    const late = sleep(REPOSITORIES_MS, this.#end.signal).catch(() => {});
    await Promise.race([this.#running, late]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  #start(): void {
    const signal = AbortSignal.any([this.#context.signal, this.#end.signal]);
    this.#running ??= this.#make(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#context.progress(`backups: ${messageOf(error)}`);
    });
  }

  async #make(signal: AbortSignal): Promise<void> {
    const { done, failed } = await this.#cluster.backups.provision(signal);
    const entry = { actor: 'up', subject: 'backups', reason: undefined };
    for (const message of done)
      await this.#cluster.journal.append({ ...entry, event: 'repository-made', message });
    for (const { repository, problem } of failed) {
      const message = `${repository}: ${problem}`;
      await this.#cluster.journal.append({ ...entry, event: 'repository-failed', message });
    }
  }
}

/** Servers start side by side, voters one by one; statements keep their order: a database needs its owner. */
async function carryOutAll(cluster: PlatformCluster, batch: Step[], context: UpContext): Promise<void> {
  const [first] = batch.map(step => step.action);
  const inOrder =
    first?.kind === 'change-catalog' || (first?.kind === 'start' && first.componentKind === 'etcd');
  if (inOrder) for (const step of batch) await carryOut(cluster, step, context);
  else await Promise.all(batch.map(step => carryOut(cluster, step, context)));
}

async function carryOut(cluster: PlatformCluster, step: Step, context: UpContext): Promise<void> {
  const started = performance.now();
  context.onStep(step, 'started', 0);
  const entry = { actor: 'up', subject: subjectOf(step), message: step.summary, reason: step.reason };
  try {
    await perform(cluster, step.action, context);
  } catch (error) {
    context.onStep(step, 'failed', performance.now() - started);
    await cluster.journal.append({
      ...entry,
      event: 'step-failed',
      message: `${step.summary}: ${messageOf(error)}`,
    });
    throw error;
  }
  context.onStep(step, 'done', performance.now() - started);
  await cluster.journal.append({ ...entry, event: 'step-done' });
}

/** What interrupts the primary needs more than one hand; the rest is the platform's. */
async function perform(cluster: PlatformCluster, action: Action, context: UpContext): Promise<void> {
  if (action.kind === 'switchover') await moveHeld(cluster, action, context);
  else if (action.kind === 'restart-member') await restartHeld(cluster, action.member, context);
  else await cluster.apply(action, context);
}

function isDone(planned: Plan): boolean {
  return planned.steps.length === 0 && planned.waiting.length === 0;
}

function countRepeats(repeats: Map<string, number>, batch: Step[]): void {
  for (const step of batch) {
    const key = JSON.stringify(step.action);
    const count = (repeats.get(key) ?? 0) + 1;
    repeats.set(key, count);
    if (count <= MAXIMUM_REPEATS) continue;
    throw new NoProgressError({
      code: 'no-progress',
      message: `"${step.summary}" was carried out ${MAXIMUM_REPEATS} times and is still needed`,
      detail: step.reason,
      hint: "the servers' logs say why it has no effect: pgherd logs",
    });
  }
}

/** What keeps the steps that may not be done yet; the plan says so in `waiting` where nothing else does. */
function describeWaiting({ waiting }: Plan): string {
  return waiting.join('; ');
}

function tooLate(cluster: PlatformCluster, planned: Plan, timeoutMs: number): DeadlineError {
  return new DeadlineError(`bringing ${cluster.ref.name} to what its manifest asks for`, timeoutMs, {
    detail: `still waiting: ${describeWaiting(planned) || planned.steps.map(step => step.summary).join('; ')}`,
    hint: `what runs goes on running; see \`pgherd logs ${cluster.ref.name}\`, then run the same command again`,
  });
}

function subjectOf({ action }: Step): string {
  if ('component' in action) return action.component;
  if ('member' in action) return action.member;
  if ('from' in action) return action.from;
  return 'cluster';
}
