import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimants, complaintAbout, thePrimary } from '../topology/members.ts';
import type { Observation } from '../topology/observation.ts';
import { judge } from '../topology/verdict.ts';
import type { Action, Desired, Step } from './action.ts';
import { nextBatch, plan } from './plan.ts';
import { applyBatch } from './testing/apply.ts';
import { anyObservation, anySpec, anyWorld, nearlyHealthyOf } from './testing/arbitrary.ts';
import { makeDesired, makeHealthy } from './testing/fixture.ts';
import { tick } from './testing/time.ts';
import type { World } from './testing/world.ts';

const runs = { numRuns: Number(process.env.PGHERD_PROPERTY_RUNS ?? 300) };

function destructive({ impact, action }: Step): boolean {
  return (
    impact === 'interruption' || impact === 'removal' || action.kind === 'remove' || action.kind === 'restart'
  );
}

/** Carries out batches until nothing is left; `pause` decides whether time passes between two batches. */
function settle(start: World, desired: Desired, pauses: boolean[]): { world: World; rounds: number } {
  let world = start;
  for (let round = 0; round < 400; round += 1) {
    const current = plan(desired, world.observed);
    if (current.steps.length === 0 && current.waiting.length === 0) return { world, rounds: round };
    const batch = nextBatch(current);
    if (batch.length === 0) expect(current.waiting, 'nothing to do and nothing to wait for').not.toEqual([]);
    world = applyBatch(batch, world, desired);
    if (batch.length === 0 || pauses[round % pauses.length]) world = tick(world, desired);
  }
  const left = plan(desired, world.observed);
  throw new Error(
    `never settles: ${JSON.stringify(left.steps.map(step => [step.summary, step.blockedBy]))} ${left.waiting}`,
  );
}

const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });

describe('a plan applied', { timeout: 600_000 }, () => {
  it('leaves nothing to plan, from any cluster to any manifest, and does nothing unsafe on the way', () => {
    fc.assert(
      fc.property(anyWorld, anySpec, pauses, (start, spec, between) => {
        const desired = makeDesired(spec);
        const { world } = settle(start, desired, between);
        expect(plan(desired, world.observed)).toEqual({ steps: [], waiting: [] });
        const { verdict } = judge(world.observed, spec);
        if (spec.instances === 0) {
          expect(world.observed.components.filter(({ running }) => running)).toEqual([]);
          return;
        }
        expect(verdict).toBe('healthy');
        expect(claimants(world.observed)).toHaveLength(1);
        expect(world.observed.config?.postgresql?.parameters).toEqual(spec.parameters);
        expect(Object.keys(world.observed.config?.slots ?? {}).sort()).toEqual(
          Object.keys(spec.patroni.slots).sort(),
        );
      }),
      runs,
    );
  });

  it('may be interrupted by another manifest at any point', () => {
    fc.assert(
      fc.property(anyWorld, anySpec, anySpec, fc.nat({ max: 12 }), (start, first, second, after) => {
        let world = start;
        const desired = makeDesired(first);
        for (let round = 0; round < after; round += 1) {
          world = applyBatch(nextBatch(plan(desired, world.observed)), world, desired);
          world = tick(world, desired);
        }
        settle(world, makeDesired(second), [true, false]);
      }),
      runs,
    );
  });
});

function touched(action: Action): string | undefined {
  if (action.kind === 'restart-member') return action.member;
  if (action.kind === 'switchover') return action.from;
  return action.kind === 'restart' || action.kind === 'remove' ? action.component : undefined;
}

function othersWell(observed: Observation, desired: Desired, except: string | undefined): boolean {
  const primary = thePrimary(observed);
  return desired.components.every(({ name, kind }) => {
    if (kind !== 'member' || name === except) return true;
    const member = observed.members.find(candidate => candidate.name === name);
    return member !== undefined && complaintAbout(member, primary, Infinity) === undefined;
  });
}

describe('any plan, of any observation', { timeout: 600_000 }, () => {
  const any = fc.oneof(
    fc.tuple(anySpec, anyObservation),
    anySpec.chain(spec => fc.tuple(fc.constant(spec), nearlyHealthyOf(spec))),
  );
  const anyPlan = any.map(([spec, observed]) => {
    const desired = makeDesired(spec);
    return { desired, observed, result: plan(desired, observed) };
  });

  it('never fails, and waits for something where nothing can be done', () => {
    fc.assert(
      fc.property(anyPlan, ({ result }) => {
        if (nextBatch(result).length === 0 && result.steps.length > 0) expect(result.waiting).not.toEqual([]);
      }),
      runs,
    );
  });

  it('has at most one destructive step in a batch, and puts what must wait last', () => {
    fc.assert(
      fc.property(anyPlan, ({ result }) => {
        const batch = nextBatch(result);
        if (batch.some(destructive)) expect(batch).toHaveLength(1);
        expect(batch.every(step => step.blockedBy === undefined)).toBe(true);
        const firstBlocked = result.steps.findIndex(step => step.blockedBy !== undefined);
        if (firstBlocked !== -1) {
          expect(result.steps.slice(firstBlocked).every(step => step.blockedBy !== undefined)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('only starts while there is no quorum or not exactly one primary', () => {
    fc.assert(
      fc.property(anyPlan, ({ observed, result }) => {
        const { dcs } = observed;
        const quorum = dcs !== undefined && dcs.healthyVoters * 2 > dcs.voters;
        if (quorum && claimants(observed).length === 1) return;
        for (const { action, blockedBy } of result.steps) {
          if (blockedBy === undefined) expect(['prepare', 'start', 'stop']).toContain(action.kind);
        }
      }),
      runs,
    );
  });

  it('interrupts a member only while every other one that stays is well', () => {
    fc.assert(
      fc.property(anyPlan, ({ desired, observed, result }) => {
        const names = new Set(observed.members.map(member => member.name));
        for (const { action, blockedBy } of result.steps) {
          const name = touched(action);
          if (blockedBy !== undefined || name === undefined || !names.has(name)) continue;
          const only = action.kind === 'remove' || action.kind === 'switchover' ? undefined : name;
          expect(othersWell(observed, desired, only), `${action.kind} ${name}`).toBe(true);
        }
      }),
      runs,
    );
  });

  it('removes a primary only after a switchover away from it, and never the last member', () => {
    fc.assert(
      fc.property(anyPlan, ({ desired, observed, result }) => {
        const claims = new Set(claimants(observed).map(member => member.name));
        result.steps.forEach(({ action, blockedBy }, at) => {
          if (action.kind !== 'remove') return;
          expect(desired.components.some(({ name }) => name === action.component)).toBe(false);
          if (action.componentKind !== 'member' || blockedBy !== undefined || !claims.has(action.component))
            return;
          const before = result.steps.slice(0, at).map(step => step.action);
          expect(before.some(each => each.kind === 'switchover' && each.from === action.component)).toBe(
            true,
          );
        });
      }),
      runs,
    );
  });

  it('has nothing in it for a healthy, unchanged cluster', () => {
    fc.assert(
      fc.property(anySpec, spec => {
        const desired = makeDesired({
          ...spec,
          users: [],
          databases: [],
          preparedDatabases: [],
          pooler: { ...spec.pooler, primary: false, standby: false },
        });
        expect(plan(desired, makeHealthy(desired))).toEqual({ steps: [], waiting: [] });
      }),
      runs,
    );
  });

  it('says of every step what and why', () => {
    fc.assert(
      fc.property(anyPlan, ({ result }) => {
        for (const { summary, reason } of result.steps) {
          expect(summary).toMatch(/^[a-z].{5,}/);
          expect(reason).not.toBe('');
          expect(`${summary} ${reason}`).not.toMatch(/undefined|null|\[object/);
        }
      }),
      runs,
    );
  });
});

describe('judge', { timeout: 600_000 }, () => {
  const judged = anySpec.chain(spec =>
    fc.tuple(fc.constant(spec), fc.oneof(nearlyHealthyOf(spec), anyObservation)),
  );

  it('calls nothing healthy that is not, or could not be seen', () => {
    fc.assert(
      fc.property(judged, ([spec, observed]) => {
        const result = judge(observed, spec);
        expect(result.sentence.startsWith(`${result.verdict}: `)).toBe(true);
        expect(result.reasons.length > 0).toBe(result.verdict !== 'healthy');
        if (result.verdict !== 'healthy') return;
        const primary = thePrimary(observed);
        expect(primary).toBeDefined();
        expect(observed.members).toHaveLength(spec.instances);
        for (const member of observed.members) {
          expect(complaintAbout(member, primary, spec.patroni.maximumLagOnFailover)).toBeUndefined();
          expect(member.pendingRestart).toBe(false);
          if (member.role === 'standby') expect(member.lagBytes).toBeDefined();
        }
        expect(observed.components.every(({ running, outdated }) => running && outdated === 'no')).toBe(true);
        expect(observed.dcs?.healthyVoters).toBe(observed.dcs?.voters);
        expect([observed.config, observed.dcs]).not.toContain(undefined);
        expect(observed.controlPlane?.running).not.toBe(false);
      }),
      runs,
    );
  });
});
