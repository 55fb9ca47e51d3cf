import type { Observation } from '../topology/observation.ts';
import type { Desired, Plan, Step } from './action.ts';
import { planCatalog } from './catalogSteps.ts';
import {
  planComponentRestarts,
  planReloads,
  planStarts,
  planSurplusFronts,
  planSurplusVoters,
} from './components.ts';
import { planConfig } from './configSteps.ts';
import { planMemberRestarts } from './memberRestarts.ts';
import { planScaleDown } from './scaleDown.ts';
import { type Situation, situationOf } from './situation.ts';
import { whatIsAwaited } from './waiting.ts';

/**
 * Every step that can be foreseen from what was observed to what is desired, in order, and what only needs time.
 * Both empty: the cluster is as desired. Steps that must not be done yet carry `blockedBy` and stand at the end;
 * where only such are left, `waiting` says what they wait for. Pure: the same input gives the same plan.
 * The caller carries out `nextBatch`, observes again and plans again.
 */
export function plan(desired: Desired, observed: Observation): Plan {
  const situation = situationOf(desired, observed);
  if (desired.spec.instances === 0) return { steps: planStop(situation), waiting: [] };
  const config = planConfig(situation);
  const scaleDown = planScaleDown(situation);
  const steps = [
    ...planPrepare(situation),
    ...planStarts(situation),
    ...planReloads(situation),
    ...config.steps,
    ...planComponentRestarts(situation),
    ...planCatalog(situation),
    ...planMemberRestarts(situation, config.restartNeeded, config.steps[0]?.blockedBy),
    ...scaleDown,
    ...planSurplusFronts(situation),
    ...planSurplusVoters(situation, scaleDown.find(step => step.blockedBy !== undefined)?.blockedBy),
  ];
  const ready = steps.filter(step => step.blockedBy === undefined);
  const blocked = steps.filter(step => step.blockedBy !== undefined);
  const waiting = observed.exists ? whatIsAwaited(situation) : [];
  if (ready.length === 0 && waiting.length === 0) {
    waiting.push(...new Set(blocked.map(step => `${step.summary}: waits, because ${step.blockedBy}`)));
  }
  return { steps: [...ready, ...blocked], waiting };
}

/**
 * The leading steps that may be carried out together, in their order; empty when there is nothing to do now.
 * Never more than one step that interrupts or removes something.
 */
export function nextBatch({ steps }: Plan): Step[] {
  const [first] = steps;
  if (first === undefined || first.blockedBy !== undefined) return [];
  const group = groupOf(first);
  if (group === undefined) return [first];
  const end = steps.findIndex(step => step.blockedBy !== undefined || groupOf(step) !== group);
  return end === -1 ? [...steps] : steps.slice(0, end);
}

/** Steps of one group may go together; undefined: alone. */
function groupOf({ action, impact, alone }: Step): string | undefined {
  if (alone === true || impact === 'interruption' || impact === 'removal') return undefined;
  // Patroni waits for etcd; members, poolers and proxies wait for nobody.
  if (action.kind === 'start') return action.componentKind === 'etcd' ? 'start etcd' : 'start';
  return action.kind === 'reload' || action.kind === 'change-catalog' ? action.kind : undefined;
}

function planPrepare({ observed, spec }: Situation): Step[] {
  if (observed.exists) return [];
  return [
    {
      action: { kind: 'prepare' },
      summary: `prepare ${spec.name}: directories, certificates, passwords, addresses`,
      reason: 'the cluster does not exist yet',
      impact: 'none',
    },
  ];
}

function planStop({ observed, spec }: Situation): Step[] {
  const running = observed.components.filter(component => component.running);
  if (!observed.exists || (observed.stopped && running.length === 0)) return [];
  return [
    {
      action: { kind: 'stop' },
      summary: `stop ${spec.name}; data and configuration stay`,
      reason: 'the manifest asks for 0 instances',
      impact: 'interruption',
    },
  ];
}
