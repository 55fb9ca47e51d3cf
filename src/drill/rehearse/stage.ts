import type { History } from '../../core/drill/historyFile.ts';
import type { ApplyContext, PlatformCluster } from '../../platform/contract.ts';
import type { Operations } from '../run/steps.ts';

/** What a rehearsal works with. */
export interface RehearsalStage {
  cluster: PlatformCluster;
  operations: Operations;
  context: ApplyContext;
  /** Database of the load. */
  database: string;
  /** The repository that is broken or used. */
  repository: string;
  /** What the load has recorded up to now. */
  sofar(): Promise<History>;
  /** Tells what is being done, as an injection of the drill. */
  began(description: string): void;
}

export interface Rehearsed {
  /** Figures and what was said. */
  notes: string[];
  /** What was not as promised. */
  broken: string[];
}

export function secondsSince(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}
