/**
 * The resident control plane. It watches every cluster of the platform, notes in the journal what changed by
 * itself, and makes the small repairs that interrupt nothing. It holds no state that it could lose, and nothing
 * in the data path waits for it: killed, it starts again and goes on from what it sees.
 */
import type { MemberObservation, Observation } from '../core/topology/observation.ts';
import { messageOf } from '../lib/errors.ts';
import { sleep } from '../lib/time.ts';
import type { ClusterRef, Platform, PlatformCluster } from '../platform/contract.ts';
import { ChoreTimer, type RunChores } from './choreTimer.ts';
import { runSentinel } from './sentinel.ts';

/** The sentinel looks at the primary itself, more often. */
const LOOK_EVERY_MS = 10_000;
/** Clusters come and go rarely. */
const LIST_EVERY_MS = 10_000;

export interface KeeperOptions {
  signal: AbortSignal;
  /** Gets a line for what went wrong with a cluster; watching goes on. */
  report(line: string): void;
  /** Backup work, in a process of its own. */
  chores: RunChores;
}

/** Runs until the signal aborts. */
export async function runKeeper(platform: Platform, options: KeeperOptions): Promise<void> {
  const { signal, report } = options;
  const watched = new Map<string, Promise<void>>();
  while (!signal.aborted) {
    for (const ref of await platform.list(signal).catch(() => [])) {
      const key = `${ref.namespace}/${ref.name}`;
      if (watched.has(key)) continue;
      const watch = watchCluster(platform, ref, options).catch(error => {
        if (!signal.aborted) report(`${key}: ${messageOf(error)}`);
      });
      watched.set(
        key,
        watch.finally(() => watched.delete(key)),
      );
    }
    await sleep(LIST_EVERY_MS, signal).catch(() => {});
  }
  await Promise.allSettled(watched.values());
}

/** Watches one cluster until its manifest is replaced, it is stopped or gone, or the signal aborts. */
async function watchCluster(
  platform: Platform,
  ref: ClusterRef,
  { signal, report, chores }: KeeperOptions,
): Promise<void> {
  using cluster = await platform.open(ref, signal);
  const manifest = await cluster.appliedManifest();
  let sooner = new AbortController();
  await using sentinel = sentinelOf(cluster, signal, report, () => sooner.abort());
  const timer = new ChoreTimer(cluster, chores, signal, line =>
    report(`${ref.namespace}/${ref.name}: backups: ${line}`),
  );
  let before: Observation | undefined;
  let complaint = '';
  while (!signal.aborted && (await cluster.appliedManifest()) === manifest) {
    let over = false;
    if (sooner.signal.aborted) sooner = new AbortController();
    const troubles = [
      await troubleOf(() => undoOrphans(cluster, signal), signal),
      await troubleOf(async () => {
        const brief = { catalog: false, withoutConfig: true, withoutFiles: true };
        const observed = await cluster.observe(brief, signal);
        over = !observed.exists || observed.stopped;
        if (over) return;
        sentinel.start();
        await noteChanges(cluster, before, observed);
        await cluster.remember(observed);
        for (const done of await cluster.heal(observed)) await note(cluster, 'healed', done);
        before = observed;
      }, signal),
      over ? undefined : await troubleOf(() => timer.look(new Date()), signal),
    ];
    if (over) return;
    // The same trouble every few seconds is told once.
    const said = troubles.filter(trouble => trouble !== undefined).join('; ');
    if (said !== '' && said !== complaint) report(`${ref.namespace}/${ref.name}: ${said}`);
    complaint = said;
    await sleep(LOOK_EVERY_MS, AbortSignal.any([signal, sooner.signal])).catch(() => signal.throwIfAborted());
  }
}

/** The sentinel, once the cluster runs, until the end of the watch. */
function sentinelOf(
  cluster: PlatformCluster,
  signal: AbortSignal,
  report: (line: string) => void,
  onResumed: () => void,
): { start(): void } & AsyncDisposable {
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  return {
    start() {
      const told = (line: string) =>
        report(`${cluster.ref.namespace}/${cluster.ref.name}: sentinel: ${line}`);
      const until = AbortSignal.any([signal, stop.signal]);
      running ??= runSentinel(cluster, until, told, onResumed).catch(error =>
        report(`${cluster.ref.name}: sentinel: ${messageOf(error)}`),
      );
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** What went wrong, if anything did: the next look tries again. Rejects only when the signal is aborted. */
async function troubleOf(work: () => Promise<void>, signal: AbortSignal): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

/** A drill that was killed cannot take back what it broke. */
async function undoOrphans(cluster: PlatformCluster, signal: AbortSignal): Promise<void> {
  const context = { signal, progress: () => {} };
  for (const done of await cluster.faults.undo('orphaned', context))
    await note(cluster, 'drill-undone', done);
}

async function note(cluster: PlatformCluster, event: string, message: string): Promise<void> {
  await cluster.journal.append({ actor: 'keeper', event, subject: 'cluster', message, reason: undefined });
}

async function noteChanges(
  cluster: PlatformCluster,
  before: Observation | undefined,
  now: Observation,
): Promise<void> {
  if (before === undefined) return;
  for (const entry of changes(before, now)) {
    await cluster.journal.append({ actor: 'keeper', ...entry, reason: undefined });
  }
}

/** What a person would want to find in the journal: roles and states that changed, members lost and back. */
export function changes(
  before: Observation,
  now: Observation,
): { event: string; subject: string; message: string }[] {
  const old = new Map(before.members.map(member => [member.name, member]));
  const entries = now.members.flatMap(member => memberChanges(old.get(member.name), member));
  const healthy = now.dcs?.healthyVoters;
  if (healthy !== undefined && before.dcs !== undefined && healthy !== before.dcs.healthyVoters) {
    entries.push({
      event: 'dcs-changed',
      subject: 'etcd',
      message: `${healthy} of ${now.dcs?.voters} voters are healthy`,
    });
  }
  const running = new Map(before.components.map(component => [component.name, component]));
  for (const component of now.components) {
    const previous = running.get(component.name);
    if (previous === undefined || component.kind === 'member') continue;
    // A server that fails each second to start is told once.
    if (previous.running && !component.running) {
      entries.push({
        event: 'server-down',
        subject: component.name,
        message: `${component.name} is not running`,
      });
    } else if (component.running && startedAnew(previous.since, component.since)) {
      entries.push({
        event: 'server-restarted',
        subject: component.name,
        message: `${component.name} was started again`,
      });
    }
  }
  return entries;
}

/** Start times are told with the boot time, which moves by a second when the clock is set. */
function startedAnew(before: string | undefined, now: string | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return Math.abs(Date.parse(now) - Date.parse(before)) > 2000;
}

function memberChanges(
  before: MemberObservation | undefined,
  now: MemberObservation,
): { event: string; subject: string; message: string }[] {
  if (before === undefined) return [];
  const entry = (event: string, message: string) => ({
    event,
    subject: now.name,
    message: `${now.name} ${message}`,
  });
  if (now.state === 'lost' && before.state !== 'lost')
    return [entry('member-lost', `is lost (it was ${before.role}, ${before.state})`)];
  if (before.state === 'lost' && now.state !== 'lost')
    return [entry('member-back', `is back as ${now.role}, ${now.state}`)];
  if (before.role !== now.role && now.role !== 'unknown') {
    return [entry('role-changed', `is ${now.role} now (timeline ${now.timeline ?? 'unknown'})`)];
  }
  if (before.state !== now.state) return [entry('state-changed', `is ${now.state} (it was ${before.state})`)];
  return [];
}
