/**
 * Names of the objects of a cluster: the format's contract (applications, dashboards and network policies lean on
 * it), and ours for what the format does not know.
 */
import { databaseContainer } from '../../../core/manifest/sections/kubernetes.ts';
import type { EndpointName } from '../../../core/manifest/spec.ts';

export const POSTGRES_PORT = 5432;
/** Name of the container with Patroni and PostgreSQL. */
export const MEMBER_CONTAINER: string = databaseContainer;

/** Service of each endpoint; the Deployments of the poolers have the same names. */
export function serviceName(cluster: string, endpoint: EndpointName): string {
  return { primary: cluster, standby: `${cluster}-repl`, ...poolerNames(cluster) }[endpoint];
}

export function poolerNames(cluster: string): Record<'pooler' | 'poolerStandby', string> {
  return { pooler: `${cluster}-pooler`, poolerStandby: `${cluster}-pooler-repl` };
}

/** Headless; the format has it so that the configuration of Patroni is not swept away with its Endpoints. */
export function configServiceName(cluster: string): string {
  return `${cluster}-config`;
}

export function podName(cluster: string, ordinal: number): string {
  return `${cluster}-${ordinal}`;
}

/** ConfigMaps that Patroni keeps its state in, the leader's lease first. */
export function patroniConfigMaps(cluster: string): string[] {
  return ['leader', 'config', 'failover', 'sync'].map(part => `${cluster}-${part}`);
}

/** ConfigMap of ours with patroni.yml. */
export function memberConfigName(cluster: string): string {
  return `${cluster}-patroni`;
}

/** Secret with the certificate of the servers and of the operator: `ca.crt`, `tls.crt`, `tls.key`. */
export function certificateSecretName(cluster: string): string {
  return `${cluster}-tls-pgherd`;
}

/** Secret of a pooler: `userlist.txt`. */
export function userlistSecretName(pooler: string): string {
  return `${pooler}-u`;
}

/** ServiceAccount, Role and RoleBinding of the pods of a cluster. */
export function accountName(cluster: string): string {
  return `${cluster}-pod`;
}

/** StatefulSet, Service and Secret of the repository host; also the Lease and the notes of backup work. */
export function repositoryHostName(cluster: string): string {
  return `${cluster}-backup`;
}

/** ConfigMap with what drills have broken and not taken back. */
export function faultsName(cluster: string): string {
  return `${cluster}-faults`;
}

export const SSH_PORT = 2022;

/** Secret with pgBackRest's configurations. */
export function backupConfigName(cluster: string): string {
  return `${cluster}-pgbackrest`;
}

/** Secret with what cannot be made again: the key of the backups, and those of the repository host. */
export function backupKeysName(cluster: string): string {
  return `${cluster}-backup-key`;
}

/** The format cuts it to what a CronJob can be called. */
export function logicalBackupName(cluster: string): string {
  return `logical-backup-${cluster}`.slice(0, 52).replace(/-+$/, '');
}

/** Name of a user's Secret. */
export function credentialsName(template: string, cluster: string, username: string): string {
  const values: Record<string, string> = {
    username: username.replaceAll('_', '-'),
    cluster,
    tprkind: 'postgresql',
    tprgroup: 'acid.zalan.do',
  };
  return template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}
