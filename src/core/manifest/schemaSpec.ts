import { z } from 'zod';
import { backupSection } from './schemaBackup.ts';
import { anyObject, int32, int64, optional, required, stringMap } from './schemaField.ts';
import * as kubernetes from './schemaKubernetes.ts';
import * as postgres from './schemaPostgres.ts';

/** `spec`, section by section; the parts that are about PostgreSQL itself are in schemaPostgres.ts. */

const resourceAmounts = z.strictObject({
  cpu: optional(z.string(), 'CPU as a quantity', { example: '"500m"' }),
  memory: optional(z.string(), 'Memory as a quantity', { example: '"500Mi"' }),
  'hugepages-2Mi': optional(z.string(), 'Huge pages of 2 MiB'),
  'hugepages-1Gi': optional(z.string(), 'Huge pages of 1 GiB'),
});

const resources = (requests: string, limits: string) =>
  z.strictObject({
    requests: optional(resourceAmounts, 'What is set aside', { fallback: requests }),
    limits: optional(resourceAmounts, 'What may be used at most', { fallback: limits }),
  });

const volume = z.strictObject({
  size: required(z.string(), 'Size of the data volume as a quantity', { example: '"10Gi"' }),
  storageClass: optional(z.string(), 'StorageClass of the volume'),
  selector: optional(kubernetes.labelSelector, 'Labels of the volumes that may be bound'),
  subPath: optional(z.string(), 'Path inside the volume'),
  isSubPathExpr: optional(z.boolean(), 'The path contains variables'),
  iops: optional(int32.min(0).max(80_000), 'I/O operations per second of an EBS volume'),
  throughput: optional(int32.min(0).max(2000), 'MB/s of an EBS volume'),
  type: optional(z.string(), 'Type of the EBS volume'),
});

const connectionPooler = z.strictObject({
  numberOfInstances: optional(int32.min(1), 'PgBouncer processes per endpoint', { fallback: '2' }),
  schema: optional(z.string(), 'Schema of the lookup function', { fallback: 'pooler' }),
  user: optional(z.string(), 'Role the pooler logs in with to look up passwords', { fallback: 'pooler' }),
  mode: optional(z.enum(['session', 'transaction']), 'When a server connection goes back to the pool', {
    fallback: 'transaction',
  }),
  dockerImage: optional(z.string(), 'Image of the pooler'),
  maxDBConnections: optional(
    int32.min(1),
    'Server connections per database, over all processes of an endpoint',
    {
      fallback: '60',
    },
  ),
  resources: optional(resources('500m, 100Mi', '1, 100Mi'), 'Resources of one pooler process'),
});

const additionalVolume = z.strictObject({
  name: required(z.string().min(1), 'Name of the volume'),
  mountPath: required(z.string().min(1), 'Where it is mounted'),
  subPath: optional(z.string(), 'Path inside the volume'),
  isSubPathExpr: optional(z.boolean(), 'The path contains variables'),
  targetContainers: optional(z.array(z.string()), 'Containers that get it; `all`, or names', {
    fallback: 'postgres',
  }),
  volumeSource: optional(anyObject, 'Kubernetes volume source'),
});

const tls = z.strictObject({
  secretName: required(z.string(), 'Secret with certificate and key; empty switches it off'),
  certificateFile: optional(z.string(), 'File of the certificate', { fallback: 'tls.crt' }),
  privateKeyFile: optional(z.string(), 'File of the key', { fallback: 'tls.key' }),
  caFile: optional(z.string(), 'File of the certificate authority'),
  caSecretName: optional(z.string(), 'Secret of the certificate authority'),
});

const flag = (about: string) => optional(z.boolean(), about, { fallback: 'false' });
const annotations = (about: string) => optional(stringMap, about);
const names = (about: string) => optional(z.array(z.string()), about);
const fixedPort = (about: string) =>
  optional(postgres.nodePort, about, { fallback: '0: chosen by Kubernetes' });

export const specSchema = z.strictObject({
  teamId: optional(z.string(), 'Team that owns the cluster: the `team` label', { fallback: 'empty' }),
  numberOfInstances: required(int32.min(0), 'PostgreSQL instances; 0 stops the cluster and keeps its data', {
    example: '3',
  }),
  dockerImage: optional(z.string(), 'Image of the database pods'),
  postgresql: required(postgres.postgresqlSection, 'Version and settings of PostgreSQL', {
    example: '{ version: "16" }',
  }),
  volume: required(volume, 'The data volume', { example: '{ size: "10Gi" }' }),
  users: optional(postgres.usersSection, 'Roles by name, each with its flags', {
    example: '{ app: [createdb] }',
    fallback: 'none; a role without flags may log in',
  }),
  databases: optional(postgres.databasesSection, 'Databases by name, each with its owner', {
    example: '{ orders: app }',
  }),
  preparedDatabases: optional(
    postgres.preparedDatabasesSection,
    'Databases with schemas and a ready set of roles; `{}` makes one named like the cluster, `-` as `_`',
    { example: '{ orders: { defaultUsers: true } }' },
  ),
  usersWithSecretRotation: names('Users whose password is rotated by a new role'),
  usersWithInPlaceSecretRotation: names('Users whose password is rotated in place'),
  usersIgnoringSecretRotation: names('Users whose password is never rotated'),
  resources: optional(resources('100m, 100Mi', '1, 500Mi'), 'CPU and memory of one instance'),
  patroni: optional(postgres.patroniSection, 'Settings of Patroni'),
  env: optional(z.array(kubernetes.envVar), 'Environment variables of the database pods'),
  envFrom: optional(z.array(kubernetes.envFromSource), 'Sources of environment variables'),
  clone: optional(postgres.cloneSection, 'Create the cluster as a copy of another'),
  standby: optional(postgres.standbySection, 'Follow another cluster, read only'),
  enableConnectionPooler: optional(z.boolean(), 'A pooler in front of the primary', {
    fallback: 'true if `connectionPooler` is there, otherwise false',
  }),
  enableReplicaConnectionPooler: flag('A pooler in front of the standbys'),
  connectionPooler: optional(connectionPooler, 'Settings of the poolers'),
  enableMasterLoadBalancer: flag('Primary reachable from outside'),
  enableReplicaLoadBalancer: flag('Standbys reachable from outside'),
  enableMasterPoolerLoadBalancer: flag('Pooler of the primary reachable from outside'),
  enableReplicaPoolerLoadBalancer: flag('Pooler of the standbys reachable from outside'),
  enableMasterNodePort: flag('Primary reachable on a port of each node'),
  enableReplicaNodePort: flag('Standbys reachable on a port of each node'),
  enableMasterPoolerNodePort: flag('Pooler of the primary reachable on a port of each node'),
  enableReplicaPoolerNodePort: flag('Pooler of the standbys reachable on a port of each node'),
  masterNodePort: fixedPort('Node port of the primary'),
  replicaNodePort: fixedPort('Node port of the standbys'),
  masterPoolerNodePort: fixedPort('Node port of the pooler of the primary'),
  replicaPoolerNodePort: fixedPort('Node port of the pooler of the standbys'),
  allowedSourceRanges: optional(z.array(z.string()), 'Networks that may connect from outside, CIDR', {
    example: '["10.0.0.0/8"]',
    fallback: 'loopback only',
  }),
  serviceAnnotations: annotations('Annotations of all services'),
  masterServiceAnnotations: annotations('Annotations of the primary service'),
  replicaServiceAnnotations: annotations('Annotations of the standby service'),
  podAnnotations: annotations('Annotations of the pods'),
  tolerations: optional(z.array(kubernetes.toleration), 'Taints the pods tolerate'),
  nodeAffinity: optional(kubernetes.nodeAffinity, 'Nodes the pods may or should run on'),
  topologySpreadConstraints: optional(
    z.array(kubernetes.topologySpreadConstraint),
    'How the pods spread over nodes and zones',
  ),
  podPriorityClassName: optional(z.string(), 'PriorityClass of the pods'),
  schedulerName: optional(z.string(), 'Scheduler of the pods'),
  spiloRunAsUser: optional(int64, 'User id of the pods'),
  spiloRunAsGroup: optional(int64, 'Group id of the pods'),
  spiloFSGroup: optional(int64, 'Group id of the volumes'),
  livenessProbe: optional(kubernetes.probe, 'Liveness probe of the database container'),
  enableShmVolume: optional(z.boolean(), 'Shared memory as large as the memory of the pod', {
    fallback: 'true',
  }),
  initContainers: optional(z.array(kubernetes.initContainer), 'Containers that run before the database'),
  sidecars: optional(z.array(kubernetes.sidecar), 'Containers that run beside the database'),
  additionalVolumes: optional(z.array(additionalVolume), 'More volumes of the pods'),
  tls: optional(tls, 'Certificate of the servers'),
  maintenanceWindows: optional(z.array(z.string()), 'When planned interruptions may happen, UTC', {
    example: '["Sat:01:00-04:00"]',
    fallback: 'always',
  }),
  enableLogicalBackup: flag('Take logical backups on a schedule'),
  logicalBackupSchedule: optional(z.string(), 'When, as a cron line of five fields', {
    fallback: '0 2 * * *',
  }),
  logicalBackupRetention: optional(z.string(), 'How long they are kept', { example: '"3 days"' }),
  backup: optional(backupSection, 'Backups: where, when, how long; an extension of the format', {
    fallback:
      'a copy for each member, full backups weekly, differential ones daily, proven after each full one',
  }),
  streams: optional(z.array(postgres.streamSection), 'Event streams'),
  init_containers: optional(z.array(kubernetes.initContainer), 'Older name of `initContainers`', {
    replacedBy: 'initContainers',
  }),
  pod_priority_class_name: optional(z.string(), 'Older name of `podPriorityClassName`', {
    replacedBy: 'podPriorityClassName',
  }),
  useLoadBalancer: optional(z.boolean(), 'Older name of `enableMasterLoadBalancer`', {
    replacedBy: 'enableMasterLoadBalancer',
  }),
  replicaLoadBalancer: optional(z.boolean(), 'Older name of `enableReplicaLoadBalancer`', {
    replacedBy: 'enableReplicaLoadBalancer',
  }),
});

export type SpecSource = z.infer<typeof specSchema>;
export type ResourcesSource = z.infer<ReturnType<typeof resources>>;
