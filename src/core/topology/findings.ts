import type { ClusterSpec } from '../manifest/spec.ts';
import { backupFindings } from './backupFindings.ts';
import {
  claimants,
  complaintAbout,
  requiredSynchronous,
  synchronousStandbys,
  thePrimary,
} from './members.ts';
import type { ComponentKind, Observation } from './observation.ts';

/** One thing that is not as it should be. */
export interface Finding {
  /** down: no write is taken. */
  severity: 'down' | 'degraded';
  sentence: string;
  /** Command that shows more or helps, if there is one. */
  next?: string | undefined;
}

/** Names of the members a manifest asks for: `<cluster>-<n>`, by the format's contract. */
export function wantedMembers(spec: ClusterSpec): string[] {
  return Array.from({ length: spec.instances }, (_, ordinal) => `${spec.name}-${ordinal}`);
}

/** Names of wanted members that are as they should be. */
export function wellMembers(observed: Observation, spec: ClusterSpec): string[] {
  const primary = thePrimary(observed);
  return wantedMembers(spec).filter(name => {
    const member = observed.members.find(candidate => candidate.name === name);
    const component = observed.components.find(candidate => candidate.name === name);
    if (member === undefined || component?.running !== true) return false;
    return complaintAbout(member, primary, spec.patroni.maximumLagOnFailover) === undefined;
  });
}

/** All that is wrong or could not be seen, loudest first; empty only when everything was seen and is well. */
export function findingsOf(observed: Observation, spec: ClusterSpec): Finding[] {
  const command = (verb: string, rest = ''): string => {
    const namespace = spec.namespace === 'default' ? '' : ` --namespace ${spec.namespace}`;
    return `pgherd ${verb} ${spec.name}${rest}${namespace}`;
  };
  return [
    ...drillFindings(observed, command),
    ...writeFindings(observed, spec, command),
    ...dcsFindings(observed),
    ...memberFindings(observed, spec, command),
    ...promiseFindings(observed, spec),
    ...componentFindings(observed, spec, command),
    ...backupFindings(observed.backups, command),
    ...unseen(observed),
  ].sort((a, b) => Number(b.severity === 'down') - Number(a.severity === 'down'));
}

type Command = (verb: string, rest?: string) => string;

function writeFindings(observed: Observation, spec: ClusterSpec, command: Command): Finding[] {
  const claims = claimants(observed).map(member => member.name);
  if (claims.length > 1) {
    const sentence = `split brain: ${claims.join(' and ')} claim to be primary at the same time`;
    return [{ severity: 'degraded', sentence, next: command('events') }];
  }
  if (claims.length === 0) {
    return [{ severity: 'down', sentence: 'no primary takes writes', next: command('events') }];
  }
  // The flag in force counts: before the patch a strict manifest changes nothing.
  const strict = observed.config === undefined ? true : isOn(observed.config.synchronous_mode_strict);
  if (spec.patroni.synchronousMode === 'strict' && strict && synchronousStandbys(observed).length === 0) {
    const sentence = 'no write is acknowledged: the strict mode has no synchronous standby';
    return [{ severity: 'down', sentence, next: command('events') }];
  }
  return [];
}

function isOn(value: unknown): boolean {
  return value === true || value === 'true' || value === 'on';
}

function dcsFindings({ dcs }: Observation): Finding[] {
  if (dcs === undefined) return [{ severity: 'degraded', sentence: 'the DCS could not be seen' }];
  if (dcs.healthyVoters === dcs.voters && dcs.voters > 0) return [];
  const count = `${dcs.healthyVoters} of ${dcs.voters} voters answer`;
  if (dcs.healthyVoters * 2 <= dcs.voters) {
    return [{ severity: 'down', sentence: `the DCS has no quorum: ${count}` }];
  }
  return [{ severity: 'degraded', sentence: `the DCS is not whole: ${count}` }];
}

function memberFindings(observed: Observation, spec: ClusterSpec, command: Command): Finding[] {
  const primary = thePrimary(observed);
  const wanted = wantedMembers(spec);
  const findings: Finding[] = [];
  for (const name of wanted) {
    const member = observed.members.find(candidate => candidate.name === name);
    const logs = command('logs', ` --component ${name}`);
    if (member === undefined) {
      findings.push({ severity: 'degraded', sentence: `${name} does not exist`, next: undefined });
      continue;
    }
    const complaint = complaintAbout(member, primary, spec.patroni.maximumLagOnFailover);
    if (complaint !== undefined) {
      const since = member.since === undefined ? '' : ` since ${member.since}`;
      findings.push({ severity: 'degraded', sentence: `${name} ${complaint}${since}`, next: logs });
    } else if (member.role === 'standby' && member.lagBytes === undefined) {
      findings.push({ severity: 'degraded', sentence: `the lag of ${name} could not be seen`, next: logs });
    }
    if (member.pendingRestart) {
      const next = command('restart');
      findings.push({
        severity: 'degraded',
        sentence: `${name} has to be restarted for a changed parameter`,
        next,
      });
    }
  }
  for (const { name } of observed.members) {
    if (wanted.includes(name)) continue;
    findings.push({
      severity: 'degraded',
      sentence: `${name} is left over: ${spec.instances} instances are wanted`,
    });
  }
  return findings;
}

function promiseFindings(observed: Observation, spec: ClusterSpec): Finding[] {
  const required = requiredSynchronous(spec);
  const have = synchronousStandbys(observed).length;
  if (have >= required) return [];
  const sentence = `${have} of ${required} promised synchronous standbys: acknowledged writes could be lost`;
  return spec.patroni.synchronousMode === 'strict' ? [] : [{ severity: 'degraded', sentence }];
}

function componentFindings(observed: Observation, spec: ClusterSpec, command: Command): Finding[] {
  const findings: Finding[] = [];
  for (const { name, running, outdated, since, differences } of observed.components) {
    const next = command('logs', ` --component ${name}`);
    if (!running) {
      const sentence = `${name} does not run${since === undefined ? '' : ` since ${since}`}`;
      findings.push({ severity: 'degraded', sentence, next });
    } else if (outdated !== 'no') {
      const what = differences.length === 0 ? '' : `: ${differences.join(', ')}`;
      findings.push({
        severity: 'degraded',
        sentence: `${name} needs a ${outdated} for its configuration${what}`,
      });
    }
  }
  for (const name of wantedMembers(spec)) {
    if (observed.components.some(component => component.name === name)) continue;
    findings.push({ severity: 'degraded', sentence: `no server runs for ${name}` });
  }
  const fronts: [boolean, ComponentKind, string][] = [
    [spec.pooler.primary, 'pooler', 'pooler'],
    [spec.pooler.standby, 'poolerStandby', 'standby pooler'],
  ];
  for (const [wanted, kind, word] of fronts) {
    if (!wanted || observed.components.some(component => component.kind === kind)) continue;
    findings.push({ severity: 'degraded', sentence: `there is no ${word}` });
  }
  if (observed.controlPlane?.running === false) {
    const since = observed.controlPlane.since === undefined ? '' : ` since ${observed.controlPlane.since}`;
    const sentence = `the control plane does not run${since}: queries go on, failures heal more slowly`;
    findings.push({ severity: 'degraded', sentence });
  }
  return findings;
}

/** What a drill has broken is told even where nothing shows yet. */
function drillFindings({ faults = [] }: Observation, command: Command): Finding[] {
  return faults.map(({ description, owned }) => ({
    severity: 'degraded',
    sentence: owned ? `a drill is under way: ${description}` : `a drill left this behind: ${description}`,
    next: owned ? undefined : command('drill clean'),
  }));
}

/** What is not known cannot be called healthy. The catalogs are not looked at for a verdict. */
function unseen(observed: Observation): Finding[] {
  if (thePrimary(observed) === undefined || observed.config !== undefined) return [];
  return [{ severity: 'degraded', sentence: "Patroni's configuration could not be seen" }];
}
