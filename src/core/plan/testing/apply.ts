import { claimants, complaintAbout, synchronousStandbys, thePrimary } from '../../topology/members.ts';
import type { ComponentObservation } from '../../topology/observation.ts';
import type { Action, Desired, Step } from '../action.ts';
import { isRecord } from '../values.ts';
import { applyChange } from './applyCatalog.ts';
import { makeComponent } from './fixture.ts';
import { promote } from './time.ts';
import { changeMember, hasQuorum, see, startValues, type World } from './world.ts';

/** The action would have put data or service at risk: the plan that asked for it is wrong. */
class UnsafeActionError extends Error {}

function demand(condition: boolean, why: string): void {
  if (!condition) throw new UnsafeActionError(why);
}

/** The world after an action. Throws UnsafeActionError for what must never be asked. */
function apply(action: Action, world: World, desired: Desired): World {
  demand(action.kind === 'prepare' || world.observed.exists, `${action.kind} before the cluster is prepared`);
  return see(carryOut(action, world, desired));
}

/** The world after steps that were said to go together. */
export function applyBatch(batch: Step[], world: World, desired: Desired): World {
  const joins = batch.filter(
    ({ action }) =>
      action.kind === 'start' &&
      action.componentKind === 'etcd' &&
      !world.kept.voters.includes(action.component),
  );
  if (joins.length > 0 && hasQuorum(world)) {
    const { dcs } = world.observed;
    demand(batch.length === 1, 'a voter joins while others start');
    demand(dcs?.healthyVoters === dcs?.voters, 'a voter joins while another is ill');
  }
  return batch.reduce((next, { action }) => apply(action, next, desired), world);
}

function carryOut(action: Action, world: World, desired: Desired): World {
  switch (action.kind) {
    case 'prepare':
      return { ...world, observed: { ...world.observed, exists: true } };
    case 'stop':
      return stop(world);
    case 'start':
      return start(world, action.component, action.componentKind);
    case 'reload':
      return current(world, action.component);
    case 'restart':
      return action.componentKind === 'member'
        ? restartProcess(world, action.component, desired)
        : restartServer(world, action.component, action.componentKind);
    case 'remove':
      return action.componentKind === 'member'
        ? removeMember(world, action.component, desired)
        : removeServer(world, action.component, action.componentKind);
    case 'configure':
      demand(
        hasQuorum(world) && thePrimary(world.observed) !== undefined,
        'configuration without quorum or primary',
      );
      return { ...world, kept: { ...world.kept, config: merge(world.kept.config ?? {}, action.patch) } };
    case 'restart-member':
      return restartPostgres(world, action.member, desired);
    case 'switchover':
      return switchover(world, action.from, action.to, desired);
    case 'change-catalog':
      demand(thePrimary(world.observed) !== undefined, 'catalogs changed without a primary');
      demand(!(isStrict(world) && synchronousStandbys(world.observed).length === 0), 'a commit would hang');
      return { ...world, kept: { ...world.kept, catalog: applyChange(action.change, world.kept.catalog) } };
  }
}

function isStrict({ kept: { config } }: World): boolean {
  return config?.synchronous_mode === true && config.synchronous_mode_strict === true;
}

function merge(into: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (isRecord(value) && isRecord(result[key])) result[key] = merge(result[key], value);
    else result[key] = value;
  }
  return result;
}

function changeComponent(world: World, name: string, change: Partial<ComponentObservation>): World {
  const components = world.observed.components.map(each =>
    each.name === name ? { ...each, ...change } : each,
  );
  return { ...world, observed: { ...world.observed, components } };
}

function current(world: World, name: string): World {
  return changeComponent(world, name, { outdated: 'no', differences: [] });
}

function without(world: World, name: string): World {
  const { observed, data } = world;
  const components = observed.components.filter(each => each.name !== name);
  const members = observed.members.filter(each => each.name !== name);
  return {
    ...world,
    observed: { ...observed, components, members },
    data: data.filter(each => each !== name),
  };
}

function stop(world: World): World {
  const components = world.observed.components.map(each => ({ ...each, running: false }));
  const members = world.observed.members.map(each => ({
    ...each,
    role: 'unknown' as const,
    state: 'stopped' as const,
  }));
  return { ...world, observed: { ...world.observed, components, members, stopped: true } };
}

function start(world: World, name: string, kind: ComponentObservation['kind']): World {
  const others = world.observed.components.filter(each => each.name !== name);
  const observed = { ...world.observed, stopped: false, components: [...others, makeComponent(name, kind)] };
  const isVoter = kind === 'etcd' && !world.kept.voters.includes(name);
  const voters = isVoter ? [...world.kept.voters, name] : world.kept.voters;
  const started = { ...world, observed, kept: { ...world.kept, voters } };
  const member = world.observed.members.find(each => each.name === name);
  return member === undefined || member.role === 'primary'
    ? started
    : changeMember(started, name, { state: 'starting' });
}

function restartServer(world: World, name: string, kind: ComponentObservation['kind']): World {
  const { dcs } = world.observed;
  if (kind === 'etcd')
    demand(dcs !== undefined && dcs.healthyVoters === dcs.voters, 'etcd restarted while a voter is ill');
  demand(
    hasQuorum(world) && claimants(world.observed).length === 1,
    `${name} restarted without quorum or primary`,
  );
  return current(world, name);
}

function removeServer(world: World, name: string, kind: ComponentObservation['kind']): World {
  demand(
    hasQuorum(world) && claimants(world.observed).length === 1,
    `${name} removed without quorum or primary`,
  );
  const gone = without(world, name);
  if (kind !== 'etcd') return gone;
  const voters = world.kept.voters.filter(each => each !== name);
  const healthy = voters.filter(voter =>
    gone.observed.components.some(each => each.name === voter && each.running),
  );
  demand(healthy.length * 2 > voters.length, `removing ${name} costs the quorum`);
  return { ...gone, kept: { ...gone.kept, voters } };
}

/** Before a member is interrupted: one primary, a whole DCS, and every other member that stays is well. */
function demandWell(world: World, except: string | undefined, desired: Desired): void {
  const { observed } = world;
  demand(claimants(observed).length === 1, 'a member interrupted without a single primary');
  demand(
    observed.dcs !== undefined && observed.dcs.healthyVoters === observed.dcs.voters,
    'a member interrupted while the DCS is ill',
  );
  for (const { name, kind } of desired.components) {
    if (kind !== 'member' || name === except) continue;
    const member = observed.members.find(each => each.name === name);
    const complaint =
      member === undefined ? 'does not exist' : complaintAbout(member, thePrimary(observed), Infinity);
    demand(complaint === undefined, `a member interrupted while ${name} ${complaint}`);
  }
}

function restartProcess(world: World, name: string, desired: Desired): World {
  const others = desired.components.filter(each => each.kind === 'member' && each.name !== name);
  demandWell(world, name, desired);
  demand(
    thePrimary(world.observed)?.name !== name || others.length === 0,
    `Patroni of the primary ${name} restarted`,
  );
  return current(restarted(world, name), name);
}

function restartPostgres(world: World, name: string, desired: Desired): World {
  demandWell(world, name, desired);
  return restarted(world, name);
}

function restarted(world: World, name: string): World {
  const inForce = { ...world.inForce, [name]: startValues(world, name) };
  return changeMember({ ...world, inForce }, name, { state: 'starting' });
}

function removeMember(world: World, name: string, desired: Desired): World {
  demand(!claimants(world.observed).some(each => each.name === name), `the primary ${name} removed`);
  demand(!desired.components.some(each => each.name === name), `${name} removed although it is wanted`);
  demandWell(world, undefined, desired);
  return without(world, name);
}

function switchover(world: World, from: string, to: string | undefined, desired: Desired): World {
  demandWell(world, undefined, desired);
  const target = world.observed.members.find(each => each.name === to);
  demand(thePrimary(world.observed)?.name === from, `${from} is not the primary`);
  demand(target?.state === 'streaming' && target.role === 'standby', 'switchover to nobody fit');
  demand(
    desired.components.some(each => each.name === to),
    `switchover to ${to}, which is to go`,
  );
  if (world.kept.config?.synchronous_mode === true && desired.spec.instances > 1) {
    demand(target?.synchronous === true, `switchover to ${to}, which is not synchronous`);
  }
  return promote(changeMember(world, from, { role: 'standby', state: 'starting' }), to ?? '');
}
