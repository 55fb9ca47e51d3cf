/** What a drill is made of: steps over roles, which become faults on members when their time has come. */
import type { Fault } from './fault.ts';

/** Who is what at the moment of a step. */
export interface Situation {
  primary: string;
  /** The standby that confirms commits; undefined where there is none. */
  synchronous: string | undefined;
  standbys: string[];
  /** Components. The leader of the voters cannot be seen from outside and is the first of the list when unknown. */
  voters: string[];
  poolers: string[];
  proxy: string | undefined;
  /** Of backups, in the order of the manifest. */
  repositories: string[];
}

/**
 * What a drill does with the backups while the load runs. Each tells what was not as promised.
 *
 * lose-table: a table is dropped, restored to one second before, and brought back. notice: the archive's failure is
 * seen, and why; the other repositories go on. catch-up: every segment arrives in every repository. find-damage: a
 * restore for proof finds the damaged file, and another repository is used. prove: the newest backup restores.
 * kill-backup: one is killed midway, then two are begun at once. refuse-targets: what cannot be restored is refused
 * before anything is touched. clone: a clone archives elsewhere.
 */
export type Rehearsal =
  | 'lose-table'
  | 'notice'
  | 'catch-up'
  | 'find-damage'
  | 'prove'
  | 'kill-backup'
  | 'refuse-targets'
  | 'clone';

/** Patroni's lease on the leader key, milliseconds: holds are counted from it. */
export interface Lease {
  ttlMs: number;
}

export type DrillStep =
  /** All of them at once, as the situation was before the first; empty: there is nobody to do it to. */
  | { do: 'inject'; faults(at: Situation): Fault[] }
  | { do: 'wait'; ms(lease: Lease): number }
  /** Until another member than the one before the last injection is primary, or the time has passed. */
  | { do: 'await-primary'; ms: number }
  /** Until writes are acknowledged through an endpoint again, or the time has passed. */
  | { do: 'await-writes'; ms: number }
  /** Takes back all faults, or only those of one kind. */
  | { do: 'undo'; kind?: Fault['kind'] }
  | { do: 'switchover' }
  /** What a person does after a reboot: `pgherd up`. */
  | { do: 'up' }
  /** What a person does with a member that cannot follow any more: `pgherd reinit`, on the one that was broken last. */
  | { do: 'reinit' }
  /** So many clients connect through the pooler and stay. */
  | { do: 'storm'; clients: number }
  | { do: 'rehearse'; what: Rehearsal }
  /** A command is begun and killed (SIGKILL) after so long, again and again. */
  | { do: 'crash-command'; command: 'restart' | 'switchover'; afterMs: number[] };

export interface Needs {
  instances: number;
  isolated?: boolean;
  pooler?: boolean;
  backups?: boolean;
  /** Only with a synchronous mode: without one the fault loses writes by design. */
  synchronous?: boolean;
}

/** Longest time without an acknowledgement, milliseconds; undefined: no bound is promised. */
export interface Bounds {
  writes(lease: Lease): number | undefined;
  reads(lease: Lease): number | undefined;
}

export interface Scenario {
  /** Number in the catalogue of faults (docs/drills.md). */
  id: string;
  /** kebab-case, for the command line. */
  name: string;
  title: string;
  /** What is promised, in a sentence. */
  promise: string;
  needs: Needs;
  bounds: Bounds;
  steps: DrillStep[];
}
