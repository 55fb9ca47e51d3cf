import type { clusterStatuses, conditionTypes } from '../../../core/manifest/crd/status.ts';
import { type PatroniView, primaryOf } from '../patroni/view.ts';
import type { RollStep } from '../roll/decide.ts';

export type ConditionType = (typeof conditionTypes)[number];

export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration: number;
  /** ISO 8601, of the last change of `status`. */
  lastTransitionTime: string;
}

export type ClusterStatusWord = (typeof clusterStatuses)[number];

export interface ClusterStatus {
  PostgresClusterStatus: ClusterStatusWord;
  observedGeneration: number;
  conditions: Condition[];
}

/** What cannot go on until somebody changes something. */
export interface Trouble {
  /** CamelCase, for `reason`. */
  reason: string;
  message: string;
}

export interface StatusInput {
  generation: number;
  /** The manifest cannot be read: what is wrong, first fault first. Nothing of the cluster is touched then. */
  invalid: Trouble | undefined;
  deleting: boolean;
  /** Instances asked for. */
  wanted: number;
  synchronousMode: boolean;
  view: PatroniView;
  /** Everything that is not pods is as it should be. */
  settled: boolean;
  step: RollStep;
  /** What the last run failed of. */
  failure: Trouble | undefined;
  /** What is left for later on purpose, in words; undefined: nothing. */
  postponed: string | undefined;
  backup: Pick<Condition, 'status' | 'reason' | 'message'>;
}

type Said = Pick<Condition, 'status' | 'reason' | 'message'>;

/** The status as it should be. Times of conditions that did not change are kept. */
export function computeStatus(
  input: StatusInput,
  before: Partial<ClusterStatus> | undefined,
  now: string,
): ClusterStatus {
  const available = availability(input);
  const progressing = progress(input);
  const degraded = degradation(input);
  const stalled = stall(input);
  const ready = readiness(available, progressing, stalled);
  const said: [ConditionType, Said][] = [
    ['Available', available],
    ['Progressing', progressing],
    ['Degraded', degraded],
    ['BackupHealthy', input.backup],
    [
      'InvalidSpec',
      input.invalid === undefined ? no('Valid', 'the manifest is understood') : yes(input.invalid),
    ],
    ['Ready', ready],
    ['Reconciling', { ...progressing, status: progressing.status }],
    ['Stalled', stalled],
  ];
  return {
    PostgresClusterStatus: word(input, available, progressing, stalled, before),
    observedGeneration: input.generation,
    conditions: said.map(([type, condition]) => {
      const old = before?.conditions?.find(item => item.type === type);
      const same = old !== undefined && old.status === condition.status;
      return {
        type,
        ...condition,
        observedGeneration: input.generation,
        lastTransitionTime: same ? old.lastTransitionTime : now,
      };
    }),
  };
}

/** The status while we may not look: what it says of members stays as it was said last. */
export function blindStatus(
  trouble: Trouble,
  before: Partial<ClusterStatus> | undefined,
  now: string,
): ClusterStatus {
  const observedGeneration = before?.observedGeneration ?? 0;
  const said: [ConditionType, Said][] = [
    ['Progressing', no(trouble.reason, trouble.message)],
    ['Ready', { status: 'Unknown', ...trouble }],
    ['Reconciling', no(trouble.reason, trouble.message)],
    ['Stalled', yes(trouble)],
  ];
  const old = before?.conditions ?? [];
  const kept = old.filter(({ type }) => said.every(([own]) => own !== type));
  const own = said.map(([type, condition]) => {
    const last = old.find(item => item.type === type);
    const lastTransitionTime = last?.status === condition.status ? last.lastTransitionTime : now;
    return { type, ...condition, observedGeneration, lastTransitionTime };
  });
  return {
    PostgresClusterStatus: before?.PostgresClusterStatus ?? 'CreateFailed',
    observedGeneration,
    conditions: [...kept, ...own],
  };
}

function availability({ view, wanted, deleting, invalid }: StatusInput): Said {
  if (deleting) return no('Deleting', 'the cluster is being deleted');
  const primary = primaryOf(view);
  if (primary?.well === true) return yes({ reason: 'PrimaryReady', message: `${primary.name} takes writes` });
  if (invalid !== undefined && view.members.length === 0)
    return no('NotMade', 'no cluster is made of this manifest');
  if (wanted === 0) return no('Stopped', 'the manifest asks for 0 instances');
  if (view.stale) return no('LeaderSilent', 'the leader key was not renewed in time');
  if (primary !== undefined)
    return no('PrimaryNotReady', `${primary.name} is ${primary.state ?? 'not ready'}`);
  return no('NoPrimary', view.initialised ? 'no member is primary' : 'the first member is not up yet');
}

function progress({ invalid, step, settled, failure, postponed, view, wanted }: StatusInput): Said {
  if (invalid !== undefined) return no('InvalidSpec', 'waits for a manifest that can be understood');
  if (step.kind === 'stuck') return no('RolloutStuck', `${step.pod}: ${step.reason}: ${step.message}`);
  if (failure !== undefined) return no(failure.reason, failure.message);
  if (step.kind === 'wait') return yes({ reason: 'Waiting', message: step.reason });
  if (step.kind !== 'none') return yes({ reason: 'Changing', message: step.reason });
  if (!settled)
    return yes({ reason: 'Changing', message: 'objects or databases are being brought up to date' });
  const well = view.members.filter(member => member.well).length;
  const later = postponed === undefined ? '' : `; ${postponed}`;
  return no('Complete', `${well} of ${wanted} members are as the manifest asks${later}`);
}

function degradation({ view, wanted, synchronousMode, failure, step, invalid }: StatusInput): Said {
  if (failure !== undefined) return yes(failure);
  if (step.kind === 'stuck') return yes({ reason: step.reason, message: `${step.pod}: ${step.message}` });
  if (invalid !== undefined && view.members.length === 0)
    return no('NotMade', 'no cluster is made of this manifest');
  if (wanted === 0) return no('Stopped', 'the manifest asks for 0 instances');
  const unwell = view.members.filter(member => !member.well).map(member => member.name);
  const well = view.members.length - unwell.length;
  if (well < wanted) {
    const who = unwell.length > 0 ? `: ${unwell.join(', ')} not` : '';
    return yes({ reason: 'MembersMissing', message: `${well} of ${wanted} members serve${who}` });
  }
  if (synchronousMode && wanted > 1 && !view.members.some(member => member.synchronous && member.well)) {
    return yes({
      reason: 'NoSynchronousStandby',
      message: 'commits wait for no standby: a failover may lose some',
    });
  }
  if (view.paused)
    return yes({ reason: 'Paused', message: 'Patroni is paused: there is no automatic failover' });
  return no('AsExpected', 'every member serves');
}

/** What somebody has to change, as kstatus calls it. */
function stall({ invalid, step, failure }: StatusInput): Said {
  if (invalid !== undefined) return yes({ reason: 'InvalidSpec', message: invalid.message });
  if (step.kind === 'stuck') return yes({ reason: 'RolloutStuck', message: `${step.pod}: ${step.message}` });
  if (failure !== undefined) return yes(failure);
  return no('Moving', 'nothing has to be done by hand');
}

function readiness(available: Said, progressing: Said, stalled: Said): Said {
  if (available.status !== 'True') return available;
  if (stalled.status === 'True') return no(stalled.reason, stalled.message);
  if (progressing.status === 'True') return no(progressing.reason, progressing.message);
  return available;
}

function word(
  { invalid, deleting, wanted, view, step }: StatusInput,
  available: Said,
  progressing: Said,
  stalled: Said,
  before: Partial<ClusterStatus> | undefined,
): ClusterStatusWord {
  if (deleting) return 'Deleting';
  if (invalid !== undefined) return 'Invalid';
  const last = before?.PostgresClusterStatus;
  const creating = !view.initialised || last === undefined || last === 'Creating' || last === 'CreateFailed';
  if (stalled.status === 'True')
    return creating ? 'CreateFailed' : step.kind === 'stuck' ? 'UpdateFailed' : 'SyncFailed';
  if (wanted === 0 && view.members.length === 0) return 'Stopped';
  if (progressing.status === 'True') return creating ? 'Creating' : 'Updating';
  return available.status === 'True' ? 'Running' : creating ? 'Creating' : 'SyncFailed';
}

function yes({ reason, message }: Trouble): Said {
  return { status: 'True', reason, message };
}

function no(reason: string, message: string): Said {
  return { status: 'False', reason, message };
}

/** Nothing but times differs. */
export function sameStatus(a: Partial<ClusterStatus> | undefined, b: ClusterStatus): boolean {
  const plain = (status: Partial<ClusterStatus> | undefined) =>
    JSON.stringify([
      status?.PostgresClusterStatus,
      status?.observedGeneration,
      (status?.conditions ?? []).map(({ type, status: value, reason, message, observedGeneration }) => [
        type,
        value,
        reason,
        message,
        observedGeneration,
      ]),
    ]);
  return plain(a) === plain(b);
}
