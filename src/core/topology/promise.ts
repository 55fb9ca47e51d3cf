import type { ClusterSpec, SynchronousMode } from '../manifest/spec.ts';
import { synchronousStandbys, thePrimary } from './members.ts';
import type { Observation } from './observation.ts';

/** single: one instance, whatever the manifest says of synchronous replication. */
export type Mode = SynchronousMode | 'single';

/** What a cluster promises by its manifest, in sentences. */
export interface ClusterPromise {
  mode: Mode;
  /** Acknowledged writes that a failover may lose. */
  rpo: string;
  /** Time without writes. */
  rto: string;
}

/** Seconds, as Patroni runs with them. */
export interface Timing {
  ttl: number;
  loopWait: number;
  /** Who takes the lead from a primary that has fallen silent, before Patroni's lease ends. */
  watcher?: Watcher;
}

export type Watcher = 'control plane' | 'operator' | 'nobody';

/** Time from the end of the lease to the first write: election and promotion. */
const promotionSeconds = 5;

/** A lost host with the sentinel at work, in synchronous modes: rounded up from what was measured there. */
const sentinelPromise = {
  'control plane': { seconds: 3, measured: 'docs/measured.md' },
  operator: { seconds: 6, measured: 'bench/kubernetes' },
};

/** How the cluster of a manifest replicates. */
export function modeOf(spec: ClusterSpec): Mode {
  return spec.instances <= 1 ? 'single' : spec.patroni.synchronousMode;
}

/** The promise of a manifest. The times follow from the settings; nobody measured them. */
export function promiseOf(spec: ClusterSpec, timing: Timing): ClusterPromise {
  const mode = modeOf(spec);
  return { mode, rpo: rpoOf(mode, spec), rto: rtoOf(mode, timing) };
}

function rpoOf(mode: Mode, spec: ClusterSpec): string {
  const lazy = lazyCommit(spec);
  const but = lazy === undefined ? '' : `; but ${lazy}`;
  switch (mode) {
    case 'single':
      return `0 acknowledged writes lost when a server crashes, all since the last backup when the disk is lost${but}`;
    case 'async':
      return `the last acknowledged writes, up to ${bytes(spec.patroni.maximumLagOnFailover)} of WAL and what was written since a standby last reported${but}`;
    case 'sync':
      return `0 acknowledged writes lost as long as a synchronous standby survives; with no standby left, replication falls back to asynchronous${but}`;
    case 'strict':
      return `0 acknowledged writes lost; without a synchronous standby no write is acknowledged${but}`;
  }
}

function rtoOf(mode: Mode, { ttl, loopWait, watcher = 'control plane' }: Timing): string {
  if (mode === 'single') {
    return `a server that crashed: its restart and recovery, about ${loopWait + promotionSeconds} s; a lost host: until it is back (by design, not measured)`;
  }
  const without = `a server that crashed: at most about ${loopWait + promotionSeconds} s; a lost host: about ${ttl + promotionSeconds} s`;
  if (mode === 'async' || watcher === 'nobody') return `${without} (by design, not measured)`;
  const { seconds, measured } = sentinelPromise[watcher];
  return `about ${seconds} s while the ${watcher} runs (measured: ${measured}); without it, ${without} (by design, not measured)`;
}

/** Why commits do not wait for what the mode promises; undefined when they do. */
function lazyCommit(spec: ClusterSpec): string | undefined {
  const written = Object.entries(spec.parameters).find(
    ([name]) => name.toLowerCase() === 'synchronous_commit',
  );
  const value = written?.[1].trim().toLowerCase();
  if (value === undefined || !['off', 'false', 'no', '0', 'local'].includes(value)) return undefined;
  if (value === 'local' && spec.instances <= 1) return undefined;
  return `synchronous_commit = ${value} acknowledges writes earlier, and those can be lost`;
}

export interface Loss {
  /** Acknowledged writes could be lost. */
  possible: boolean;
  sentence: string;
}

/** What would be lost if the primary died for good at the moment of the observation. */
export function lossIfPrimaryDied(observed: Observation, spec: ClusterSpec): Loss {
  const primary = thePrimary(observed);
  if (primary === undefined) {
    return {
      possible: true,
      sentence: 'there is no single primary: what a failover would lose cannot be told',
    };
  }
  const lazy = lazyCommit(spec);
  const [confirming] = synchronousStandbys(observed);
  if (confirming !== undefined && lazy === undefined) {
    return { possible: false, sentence: `nothing: ${confirming.name} confirms every commit` };
  }
  const streaming = observed.members.filter(
    member => member.role === 'standby' && member.state === 'streaming',
  );
  if (streaming.length === 0) {
    return {
      possible: true,
      sentence: `everything since the last backup, if the disk of ${primary.name} were lost: no standby has the data`,
    };
  }
  if (lazy !== undefined) return { possible: true, sentence: `the last writes: ${lazy}` };
  const lags = streaming.map(member => member.lagBytes).filter(lag => lag !== undefined);
  const behind = lags.length === 0 ? 'an unknown amount' : bytes(Math.min(...lags));
  return {
    possible: true,
    sentence: `the last writes: no standby confirms commits, the nearest is ${behind} of WAL behind`,
  };
}

function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
