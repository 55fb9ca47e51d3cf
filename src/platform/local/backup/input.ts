import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import type { Session } from '../../../engine/postgres/connection.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';

/** What backups need of their cluster. */
export interface LocalBackupInput {
  spec: ClusterSpec;
  paths: Paths;
  /** As of now: `up` renews it. */
  record(): ClusterRecord;
  /** As Patroni tells them now. */
  members(signal: AbortSignal): Promise<MemberObservation[]>;
  /** undefined: none, or more than one. */
  primary(signal: AbortSignal): Promise<MemberObservation | undefined>;
  /** As superuser, over the member's own socket. */
  connect(member: string, signal: AbortSignal): Promise<Session>;
}
