import type { ClusterPromise } from '../core/topology/verdict.ts';
import { labelled } from './text/fold.ts';

/** The promise in force, as `status` and `up` show it. */
export function promiseLines({ mode, rpo, rto }: ClusterPromise, width: number): string[] {
  const rows = [
    ['replication', mode === 'single' ? 'none: one instance' : mode],
    ['RPO', rpo],
    ['RTO', rto],
  ] as const;
  return labelled(rows, width);
}
