import { access } from './access.ts';
import { disruptionBudgets } from './disruption.ts';
import type { ObjectsInput } from './input.ts';
import { logicalBackup } from './logicalBackup.ts';
import { networkPolicies } from './networkPolicies.ts';
import type { KubeObject } from './object.ts';
import { memberConfig } from './patroni.ts';
import { pooler, wantedPoolers } from './pooler.ts';
import { repositoryHost } from './repositoryHost.ts';
import { services } from './services.ts';
import { statefulSet } from './statefulSet.ts';

export { type BackupKeys, type BucketCredentials, backupConfig, hostConfig } from './backupSecrets.ts';
export type { ObjectsInput } from './input.ts';
export { judgeSpec } from './judge.ts';
export type { KubeObject } from './object.ts';
export { type SecretWanted, secretsWanted } from './secrets.ts';
export { heldBack } from './wish.ts';

/**
 * All objects of one cluster, in the order in which they are to be applied: what pods need comes before them.
 * Pure. Throws InvalidSpecError for what `judgeSpec` reports, so ask that first.
 */
export function desiredObjects(input: ObjectsInput): KubeObject[] {
  return [
    ...access(input),
    ...networkPolicies(input),
    ...services(input),
    memberConfig(input),
    ...disruptionBudgets(input),
    statefulSet(input),
    ...repositoryHost(input),
    ...wantedPoolers(input).flatMap(endpoint => pooler(input, endpoint)),
    ...logicalBackup(input),
  ];
}
