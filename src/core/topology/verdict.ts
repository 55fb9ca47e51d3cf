import type { ClusterSpec } from '../manifest/spec.ts';
import { backupNotes } from './backupFindings.ts';
import { findingsOf, wantedMembers, wellMembers } from './findings.ts';
import type { Observation } from './observation.ts';
import {
  type ClusterPromise,
  type Loss,
  lossIfPrimaryDied,
  promiseOf,
  type Timing,
  type Watcher,
} from './promise.ts';

export type { ClusterPromise } from './promise.ts';
export { promiseOf } from './promise.ts';

export interface Verdict {
  verdict: 'healthy' | 'degraded' | 'down' | 'stopped';
  /** Begins with the verdict: "healthy: 3 of 3 members, a failover now would lose nothing". */
  sentence: string;
  /** Why it is not healthy, loudest first; empty when it is. */
  reasons: string[];
  /** What a person should know although it is no fault. */
  notes: string[];
  lossIfPrimaryDied: Loss;
  /** Commands that show more or help, most useful first. */
  next: string[];
  promise: ClusterPromise;
}

/**
 * The state of a cluster for people. Never healthy while anything is wrong or could not be seen. `timing` is what
 * Patroni runs with; without it, what was observed, then the manifest, then Patroni's defaults.
 */
export function judge(
  observed: Observation,
  spec: ClusterSpec,
  timing: Timing = timingOf(observed, spec),
): Verdict {
  const promise = promiseOf(spec, { watcher: watcherOf(observed), ...timing });
  const loss = lossIfPrimaryDied(observed, spec);
  const common = { promise, notes: notesOf(observed), lossIfPrimaryDied: loss };
  if (!observed.exists) {
    const reason = `${spec.name} does not exist yet`;
    return {
      verdict: 'down',
      sentence: `down: ${reason}`,
      reasons: [reason],
      next: ['pgherd up FILE'],
      ...common,
    };
  }
  const running = observed.components.filter(component => component.running).map(component => component.name);
  if (observed.stopped && running.length === 0) {
    const reason =
      spec.instances === 0
        ? 'the manifest asks for 0 instances'
        : 'it was stopped on purpose; its data is kept';
    const next = spec.instances === 0 ? [] : ['pgherd up FILE'];
    return { verdict: 'stopped', sentence: `stopped: ${reason}`, reasons: [reason], next, ...common };
  }
  const findings = findingsOf(observed, spec);
  if (observed.stopped || spec.instances === 0) {
    findings.unshift({
      severity: 'degraded',
      sentence: `it should be stopped, but ${running.length === 0 ? 'was not stopped' : `${running.join(', ')} runs`}`,
      next: `pgherd down ${spec.name}`,
    });
  }
  const verdict =
    findings.length === 0 ? 'healthy' : findings.some(f => f.severity === 'down') ? 'down' : 'degraded';
  const reasons = [...new Set(findings.map(finding => finding.sentence))];
  const next = [...new Set(findings.map(finding => finding.next).filter(command => command !== undefined))];
  const members = `${wellMembers(observed, spec).length} of ${wantedMembers(spec).length} members`;
  const failover = failoverClause(loss, promise);
  return { verdict, sentence: sentenceOf(verdict, members, reasons, failover), reasons, next, ...common };
}

function watcherOf({ controlPlane, operatorWatches }: Observation): Watcher {
  if (operatorWatches === true) return 'operator';
  return controlPlane === undefined ? 'nobody' : 'control plane';
}

function sentenceOf(
  verdict: Verdict['verdict'],
  members: string,
  reasons: string[],
  failover: string,
): string {
  const [first, ...rest] = reasons;
  if (first === undefined) return `${verdict}: ${members}, ${failover}`;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  return verdict === 'down'
    ? `down: ${first}${more}`
    : `${verdict}: ${members}, ${first}${more}; ${failover}`;
}

function failoverClause(loss: Loss, promise: ClusterPromise): string {
  if (promise.mode === 'single') return 'no standby could take over';
  return loss.possible
    ? 'a failover now could lose acknowledged writes'
    : 'a failover now would lose nothing';
}

function timingOf({ config }: Observation, { patroni }: ClusterSpec): Timing {
  return { ttl: config?.ttl ?? patroni.ttl ?? 30, loopWait: config?.loop_wait ?? patroni.loopWait ?? 10 };
}

function notesOf({ version, backups }: Observation): string[] {
  const same = version.actual === '' || version.wanted === version.actual.split('.')[0];
  return [
    ...(same ? [] : [`PostgreSQL ${version.actual} runs, ${version.wanted} is wanted`]),
    ...backupNotes(backups),
  ];
}
