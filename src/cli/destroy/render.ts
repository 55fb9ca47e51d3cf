import type { Observation } from '../../core/topology/observation.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import { head, toSeconds } from '../documents.ts';
import type { DestroyDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { count, formatDuration } from '../text/units.ts';
import type { DestroyOutcome } from './handler.ts';

/** What is about to be deleted, before the name is asked for. */
export function lossText(ref: ClusterRef, observed: Observation | undefined, stateDir: string): string {
  const members = observed?.members ?? [];
  const named =
    members.length === 0
      ? []
      : [`  ${count(members.length, 'member')}: ${members.map(m => m.name).join(', ')}`];
  return [
    `This destroys the cluster ${ref.name} (namespace ${ref.namespace}) below ${stateDir}:`,
    ...named,
    '  all of its data, configuration, certificates and passwords',
    'What is deleted is gone: there is no way back.',
  ].join('\n');
}

/** The end of a cluster as JSON. */
export function destroyToDocument({ ref, kept, durationMs }: DestroyOutcome): DestroyDocument {
  return { ...head(ref), kept, seconds: toSeconds(durationMs) };
}

/** The end of a cluster for people. */
export function destroyText({ ref, kept, durationMs }: DestroyOutcome, { look }: Session): string {
  const lines = [`${look.strong(ref.name)} is destroyed, its data is gone (${formatDuration(durationMs)})`];
  if (kept.length > 0) lines.push('Left behind on purpose:', ...kept.map(path => `  ${path}`));
  return lines.join('\n');
}
