import type { Verdict } from '../../core/topology/verdict.ts';
import { formatAddress } from '../endpoints.ts';
import type { ListDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import type { StatusOutcome } from '../status/handler.ts';
import { type Cell, table } from '../text/table.ts';
import type { ListedCluster } from './handler.ts';

/** The clusters as JSON. */
export function listToDocument(clusters: readonly ListedCluster[]): ListDocument {
  return {
    schema: 1,
    clusters: clusters.map(({ ref, status, problem }) => ({
      cluster: ref.name,
      namespace: ref.namespace,
      verdict: status?.verdict.verdict ?? 'unknown',
      version: status?.observed.version.actual ?? null,
      members: status === undefined ? null : { wanted: status.spec.instances, healthy: healthy(status) },
      primary: status === undefined ? null : (primaryOf(status) ?? null),
      problem: problem ?? null,
    })),
  };
}

/** The clusters as a table. */
export function listText(clusters: readonly ListedCluster[], session: Session): string {
  const { look } = session;
  if (clusters.length === 0) {
    const where =
      session.globals.namespace === undefined ? 'here yet' : `in namespace ${session.globals.namespace}`;
    return `There are no clusters ${where}. Create one: ${session.command(['up', 'FILE'])}`;
  }
  const paint: Record<Verdict['verdict'] | 'unknown', (text: string) => string> = {
    healthy: look.good,
    degraded: look.caution,
    down: look.bad,
    stopped: text => text,
    unknown: look.bad,
  };
  const rows = clusters.map(({ ref, status, problem }): Cell[] => {
    const verdict = status?.verdict.verdict ?? 'unknown';
    const endpoint = status?.observed.endpoints.primary;
    return [
      ref.namespace,
      { text: ref.name, paint: look.strong },
      { text: verdict, paint: paint[verdict] },
      status === undefined ? '-' : `${healthy(status)} of ${status.spec.instances}`,
      status?.observed.version.actual ?? '-',
      status === undefined ? '-' : (primaryOf(status) ?? '-'),
      endpoint === undefined ? '-' : formatAddress(endpoint),
      problem ?? '',
    ];
  });
  const header = ['NAMESPACE', 'CLUSTER', 'VERDICT', 'MEMBERS', 'VERSION', 'PRIMARY', 'ENDPOINT', 'PROBLEM'];
  return table(rows, { header, paintHeader: look.faint, indent: 0 }).join('\n');
}

function primaryOf({ observed }: StatusOutcome): string | undefined {
  return observed.members.find(member => member.role === 'primary')?.name;
}

function healthy({ observed }: StatusOutcome): number {
  return observed.members.filter(
    member => member.state === 'streaming' || (member.role === 'primary' && member.state === 'running'),
  ).length;
}
