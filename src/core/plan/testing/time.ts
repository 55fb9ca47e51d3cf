import { claimants, thePrimary } from '../../topology/members.ts';
import type { MemberObservation } from '../../topology/observation.ts';
import type { Desired } from '../action.ts';
import { makeMember } from './fixture.ts';
import { changeMember, hasQuorum, isRunning, isSynchronous, see, startValues, type World } from './world.ts';

/** A moment passes: what heals by itself comes one stage nearer to well. Patroni elects, demotes and chooses. */
export function tick(before: World, desired: Desired): World {
  let world = see(before);
  for (const { name, kind } of world.observed.components) {
    const known = world.observed.members.some(member => member.name === name);
    if (kind !== 'member' || known || !isRunning(world, name)) continue;
    const members = [...world.observed.members, makeMember(name, { state: 'creating', role: 'unknown' })];
    world = { ...world, observed: { ...world.observed, members } };
  }
  world = elect(demote(world), desired);
  for (const member of world.observed.members) {
    if (isRunning(world, member.name)) world = heal(world, member);
  }
  return see(chooseSynchronous(see(world), desired));
}

/** Of two that claim to be primary, the second gives way. */
function demote(world: World): World {
  const [, ...others] = claimants(world.observed);
  return others.reduce(
    (next, { name }) => changeMember(next, name, { role: 'standby', state: 'starting' }),
    world,
  );
}

function elect(world: World, desired: Desired): World {
  if (!hasQuorum(world) || claimants(world.observed).length > 0) return world;
  // A primary that restarts keeps its place.
  const restarting = world.observed.members.find(
    ({ name, role }) => role === 'primary' && isRunning(world, name),
  );
  if (restarting !== undefined) {
    const next = {
      ...world,
      inForce: { ...world.inForce, [restarting.name]: startValues(world, restarting.name) },
    };
    return changeMember(next, restarting.name, { state: 'running', synchronous: false });
  }
  const fit = world.observed.members.filter(({ name }) => isRunning(world, name));
  const withData = fit.filter(({ name }) => world.data.includes(name));
  const best = withData.find(({ synchronous }) => synchronous) ?? withData[0];
  if (best !== undefined) return promote(world, best.name);
  const [first] = fit;
  if (first === undefined || world.data.length > 0) return world;
  // Nobody has data: one member makes it, with the configuration of the manifest.
  const born: World = {
    ...world,
    data: [first.name],
    kept: { ...world.kept, config: world.kept.config ?? structuredClone(desired.config) },
  };
  const started = { ...born, inForce: { ...born.inForce, [first.name]: startValues(born, first.name) } };
  return changeMember(started, first.name, { role: 'primary', state: 'running' });
}

export function promote(world: World, name: string): World {
  const timeline = world.kept.timeline + 1;
  const next = { ...world, kept: { ...world.kept, timeline } };
  return changeMember(next, name, { role: 'primary', state: 'running', synchronous: false, timeline });
}

function heal(world: World, member: MemberObservation): World {
  const primary = thePrimary(world.observed);
  if (primary === undefined || member.name === primary.name) return world;
  const { name } = member;
  if (member.state === 'streaming' && member.timeline === primary.timeline) return world;
  if (member.state === 'creating') {
    const copied = {
      ...world,
      data: [...world.data, name],
      inForce: { ...world.inForce, [name]: startValues(world, name) },
    };
    return changeMember(copied, name, { role: 'standby', state: 'starting' });
  }
  if (member.state === 'starting' || member.state === 'running') {
    return changeMember(world, name, {
      role: 'standby',
      state: 'streaming',
      timeline: primary.timeline,
      lagBytes: 0,
    });
  }
  return changeMember(world, name, { role: 'standby', state: 'starting' });
}

/** Patroni keeps the synchronous standbys it has and fills up, or empties, to the number asked for. */
function chooseSynchronous(world: World, { spec }: Desired): World {
  const primary = thePrimary(world.observed);
  if (primary === undefined) return world;
  const { config } = world.kept;
  const count = isSynchronous(spec, config) ? Number(config?.synchronous_node_count ?? 1) : 0;
  const streaming = world.observed.members
    .filter(({ role, state }) => role === 'standby' && state === 'streaming')
    .sort((a, b) => Number(b.synchronous) - Number(a.synchronous));
  const chosen = new Set(streaming.slice(0, count).map(({ name }) => name));
  return world.observed.members.reduce(
    (next, { name }) => changeMember(next, name, { synchronous: chosen.has(name) }),
    world,
  );
}
