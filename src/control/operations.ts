/** What a person asks of a running cluster, each with its checks before and its proof afterwards. */
import { performance } from 'node:perf_hooks';
import type { ClusterSpec } from '../core/manifest/spec.ts';
import type { MemberObservation, Observation } from '../core/topology/observation.ts';
import { RefusedError } from '../lib/errors.ts';
import { poll } from '../lib/time.ts';
import type { ApplyContext, PlatformCluster } from '../platform/contract.ts';
import { MOVE_TIMEOUT_MS, moveHeld, restartHeld } from './choreography.ts';

const REBUILD_TIMEOUT_MS = 3_600_000;
const LOCK_WAIT_MS = 10_000;

export interface MoveResult {
  from: string | undefined;
  to: string;
  durationMs: number;
  members: MemberObservation[];
}

/** Planned move of the primary. Refused unless a healthy standby can take over without loss. */
export async function switchover(
  cluster: PlatformCluster,
  spec: ClusterSpec,
  options: { to?: string | undefined },
  context: ApplyContext,
): Promise<MoveResult> {
  await using _lock = await lock(cluster, 'switchover', context);
  const observed = await look(cluster, context);
  const primary = requirePrimary(observed, 'use `pgherd failover` where there is none');
  const { to } = options;
  if (to !== undefined) requireCandidate(observed, to, spec);
  else if (!candidates(observed, spec).length) {
    throw new RefusedError({
      code: 'no-candidate',
      message: 'no standby can take over now without losing acknowledged writes',
      hint: `wait until one streams again (pgherd status ${spec.name} --watch)`,
    });
  }
  return await move(cluster, 'switchover', primary.name, to, context, async () => {
    await moveHeld(cluster, { from: primary.name, to }, context);
  });
}

/**
 * Move of the primary's role to a named member, also without a primary that answers. Refused when
 * acknowledged writes could be lost, unless `acceptLoss`.
 */
export async function failover(
  cluster: PlatformCluster,
  spec: ClusterSpec,
  options: { to: string; acceptLoss: boolean },
  context: ApplyContext,
): Promise<MoveResult> {
  await using _lock = await lock(cluster, 'failover', context);
  const observed = await look(cluster, context);
  const from = observed.members.find(member => member.role === 'primary')?.name;
  const target = requireMember(observed, options.to, spec);
  if (target.role === 'primary') {
    throw new RefusedError({ code: 'already-primary', message: `${target.name} is the primary already` });
  }
  const gap = describeGap(target);
  if (!options.acceptLoss && gap !== undefined) {
    throw new RefusedError({
      code: 'loss-possible',
      message: `a failover to ${target.name} may lose acknowledged writes: ${gap}`,
      hint: 'choose a synchronous standby, or accept the loss with --accept-loss',
    });
  }
  return await move(cluster, 'failover', from, target.name, context, () =>
    cluster.patroni.failover({ to: target.name }, context.signal),
  );
}

/** Restarts PostgreSQL of one member, or of all: standbys one after the other, the primary last. */
export async function restart(
  cluster: PlatformCluster,
  spec: ClusterSpec,
  options: { member?: string | undefined },
  context: ApplyContext,
): Promise<{ restarted: string[]; durationMs: number }> {
  await using _lock = await lock(cluster, 'restart', context);
  const started = performance.now();
  const observed = await look(cluster, context);
  const { member } = options;
  const chosen = member === undefined ? rollingOrder(observed) : [requireMember(observed, member, spec).name];
  for (const name of chosen) {
    context.progress(`restarting ${name}`);
    await restartHeld(cluster, name, context);
    await untilWell(cluster, name, MOVE_TIMEOUT_MS, context);
    await note(cluster, 'restart', name, `${name} was restarted`);
  }
  return { restarted: chosen, durationMs: performance.now() - started };
}

/** Builds a standby anew from the primary. Its old data directory is emptied by Patroni: refused on a primary. */
export async function reinitialise(
  cluster: PlatformCluster,
  spec: ClusterSpec,
  options: { member: string },
  context: ApplyContext,
): Promise<{ member: string; durationMs: number }> {
  await using _lock = await lock(cluster, 'reinit', context);
  const started = performance.now();
  const observed = await look(cluster, context);
  const target = requireMember(observed, options.member, spec);
  const primary = requirePrimary(observed, 'a member can only be built from a primary');
  if (target.name === primary.name) {
    throw new RefusedError({
      code: 'is-primary',
      message: `${target.name} is the primary: its data are the ones that count`,
      hint: `move the primary first: pgherd switchover ${spec.name}`,
    });
  }
  await cluster.patroni.reinitialise(target.name, context.signal);
  context.progress(`${target.name} is being built from ${primary.name}`);
  await new Promise(resolve => setTimeout(resolve, 1000));
  await untilWell(cluster, target.name, REBUILD_TIMEOUT_MS, context);
  await note(cluster, 'reinit', target.name, `${target.name} was built anew from ${primary.name}`);
  return { member: target.name, durationMs: performance.now() - started };
}

/** Stops every server; data and configuration stay. */
export async function stop(cluster: PlatformCluster, context: ApplyContext): Promise<void> {
  await using _lock = await lock(cluster, 'down', context);
  await cluster.stop(context);
  await note(cluster, 'down', 'cluster', 'all servers were stopped');
}

/** Deletes the cluster. `kept`: paths left behind on purpose. */
export async function destroy(cluster: PlatformCluster, context: ApplyContext): Promise<{ kept: string[] }> {
  await using _lock = await lock(cluster, 'destroy', context);
  return { kept: await cluster.destroy(context) };
}

async function move(
  cluster: PlatformCluster,
  operation: 'switchover' | 'failover',
  from: string | undefined,
  to: string | undefined,
  context: ApplyContext,
  ask: () => Promise<void>,
): Promise<MoveResult> {
  const started = performance.now();
  context.progress(`${operation}: ${from ?? 'nobody'} to ${to ?? 'the best standby'}`);
  await ask();
  const { primary, members } = await poll(
    async signal => {
      const { members } = await cluster.observe({ catalog: false }, signal);
      const [primary, ...others] = members.filter(member => member.role === 'primary');
      return primary !== undefined && others.length === 0 && primary.name !== from
        ? { primary, members }
        : undefined;
    },
    { what: `the ${operation}`, timeoutMs: MOVE_TIMEOUT_MS, everyMs: 50, signal: context.signal },
  );
  await note(
    cluster,
    operation,
    primary.name,
    `the primary moved from ${from ?? 'nobody'} to ${primary.name}`,
  );
  return { from, to: primary.name, durationMs: performance.now() - started, members };
}

async function untilWell(
  cluster: PlatformCluster,
  name: string,
  timeoutMs: number,
  context: ApplyContext,
): Promise<void> {
  await poll(
    async signal => {
      const { members } = await cluster.observe({ catalog: false }, signal);
      const member = members.find(candidate => candidate.name === name);
      return member?.role === 'primary' || member?.state === 'streaming' ? true : undefined;
    },
    { what: `${name} to be whole again`, timeoutMs, everyMs: 200, signal: context.signal },
  );
}

/** Refuses a cluster that is stopped: there is nobody to ask. */
async function look(cluster: PlatformCluster, context: ApplyContext): Promise<Observation> {
  const observed = await cluster.observe({ catalog: false }, context.signal);
  if (!observed.stopped) return observed;
  throw new RefusedError({
    code: 'cluster-stopped',
    message: `${cluster.ref.name} is stopped`,
    hint: 'start it first: pgherd up MANIFEST',
  });
}

async function lock(
  cluster: PlatformCluster,
  operation: string,
  context: ApplyContext,
): Promise<AsyncDisposable> {
  return await cluster.lock(operation, {
    waitMs: LOCK_WAIT_MS,
    signal: context.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
}

async function note(
  cluster: PlatformCluster,
  event: string,
  subject: string,
  message: string,
): Promise<void> {
  await cluster.journal.append({
    actor: event,
    event,
    subject,
    message,
    reason: 'asked for on the command line',
  });
}

function requirePrimary(observed: Observation, hint: string): MemberObservation {
  const [primary, other] = observed.members.filter(member => member.role === 'primary');
  if (primary !== undefined && other === undefined) return primary;
  throw new RefusedError({
    code: 'no-primary',
    message:
      primary === undefined
        ? 'the cluster has no primary now'
        : `both ${primary.name} and ${other?.name} say that they are primary`,
    hint,
  });
}

function requireMember(observed: Observation, name: string, spec: ClusterSpec): MemberObservation {
  const member = observed.members.find(candidate => candidate.name === name);
  if (member !== undefined) return member;
  throw new RefusedError({
    code: 'no-such-member',
    message: `${spec.name} has no member "${name}"`,
    hint: `its members: ${observed.members.map(candidate => candidate.name).join(', ')}`,
  });
}

/** Standbys that can take over without loss; in synchronous modes that means synchronous ones. */
function candidates(observed: Observation, spec: ClusterSpec): MemberObservation[] {
  return observed.members.filter(
    member =>
      member.role === 'standby' &&
      member.state === 'streaming' &&
      (spec.patroni.synchronousMode === 'async' || member.synchronous),
  );
}

function requireCandidate(observed: Observation, name: string, spec: ClusterSpec): void {
  const member = requireMember(observed, name, spec);
  const able = candidates(observed, spec);
  if (able.includes(member)) return;
  throw new RefusedError({
    code: 'not-a-candidate',
    message: `${name} cannot take over now: ${member.role === 'primary' ? 'it is the primary' : member.state === 'streaming' ? 'it is no synchronous standby' : `it is ${member.state}`}`,
    hint:
      able.length > 0
        ? `possible now: ${able.map(candidate => candidate.name).join(', ')}`
        : 'wait until a standby streams again',
  });
}

function describeGap(target: MemberObservation): string | undefined {
  if (target.synchronous) return undefined;
  if (target.lagBytes === undefined) return 'how far it is behind cannot be seen';
  return target.lagBytes === 0
    ? 'it is no synchronous standby, so the last writes may not have reached it'
    : `it is ${target.lagBytes} bytes behind`;
}

/** Standbys first, so that the primary's restart finds them whole. */
function rollingOrder(observed: Observation): string[] {
  const rank = (member: MemberObservation) => (member.role === 'primary' ? 1 : 0);
  return [...observed.members].sort((a, b) => rank(a) - rank(b)).map(member => member.name);
}
