import { z } from 'zod';
import { int64, optional, required } from '../schemaField.ts';

/** What the format's operator has always written, and its users' scripts read; the last two are ours. */
export const clusterStatuses = [
  'Creating',
  'Updating',
  'Running',
  'CreateFailed',
  'UpdateFailed',
  'SyncFailed',
  'Invalid',
  'Stopped',
  'Deleting',
] as const;

export const conditionTypes = [
  'Available',
  'Progressing',
  'Degraded',
  'BackupHealthy',
  'InvalidSpec',
  // What kstatus reads.
  'Ready',
  'Reconciling',
  'Stalled',
] as const;

const condition = z.looseObject({
  type: required(z.string().min(1), `What it is about: ${conditionTypes.join(', ')}`),
  status: required(z.enum(['True', 'False', 'Unknown']), 'Whether it holds'),
  reason: required(z.string(), 'One word for programs'),
  message: required(z.string(), 'Sentences for people'),
  lastTransitionTime: required(z.string(), 'When `status` changed last, RFC 3339'),
  observedGeneration: optional(int64, 'Generation of the manifest that it speaks of'),
});

/** Loose: the operator keeps what it needs to go on after it was killed beside what is listed here. */
export const statusSchema = z.looseObject({
  PostgresClusterStatus: optional(z.string(), `State in one word: ${clusterStatuses.join(', ')}`),
  observedGeneration: optional(int64, 'Generation of the manifest that was acted on last'),
  conditions: optional(z.array(condition), 'State, point by point'),
});
