import { z } from 'zod';

/**
 * The operator's configuration, of one file or ConfigMap. The manifest always wins over it. Every field has a default,
 * so `{}` is a configuration, but it knows no images: those come with the installation.
 */

const labels = z.record(z.string(), z.string());
const anyPart = z.record(z.string(), z.json());
const seconds = z.int().min(1);

const timing = z.strictObject({
  ttl: seconds.min(20).default(20).describe('Seconds a leader lease lasts; Patroni takes 20 or more'),
  loopWait: seconds
    .default(2)
    .describe('Seconds between two rounds of Patroni; each round of a primary writes once to the API server'),
  retryTimeout: seconds.min(3).default(5).describe('Seconds Patroni retries the API server and PostgreSQL'),
  failsafeMode: z
    .boolean()
    .default(true)
    .describe('A primary stays while the API server is away, as long as all members agree'),
});

const sentinel = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Synchronous clusters are watched closely: clients of the pooler wait while a primary is away, and a dead one is replaced after a second instead of the lease',
    ),
});

const disruption = z.strictObject({
  enabled: z.boolean().default(true).describe('PodDisruptionBudgets: a drain takes one pod after the other'),
  nameFormat: z.string().includes('{cluster}').default('postgres-{cluster}-pdb'),
});

const spread = z.strictObject({
  antiAffinity: z
    .enum(['required', 'preferred', 'off'])
    .default('preferred')
    .describe('Pods of a cluster on different nodes: a condition, a wish, or neither'),
  topologyKey: z
    .string()
    .default('kubernetes.io/hostname')
    .describe('Node label that makes two nodes different'),
});

const pods = z.strictObject({
  managementPolicy: z
    .enum(['Parallel', 'OrderedReady'])
    .default('Parallel')
    .describe('Whether pods of a new cluster start together or one after the other'),
  terminationGracePeriodSeconds: seconds
    .default(300)
    .describe('How long PostgreSQL may take to stop: a checkpoint of all it has in memory'),
  runAsUser: z.int().min(1).default(101).describe('User id of the database image'),
  runAsGroup: z.int().min(1).default(103).describe('Group id of the database image'),
  fsGroup: z.int().min(1).default(103).describe('Group id of volumes'),
  imagePullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).default('IfNotPresent'),
  imagePullSecrets: z
    .array(z.string())
    .default([])
    .describe('Names of Secrets in the namespace of the cluster'),
  annotations: labels.default({}).describe('Annotations of every pod, below those of the manifest'),
  tolerations: z.array(anyPart).default([]).describe('Where the manifest has none'),
  priorityClassName: z.string().optional().describe('Where the manifest has none'),
  schedulerName: z.string().optional().describe('Where the manifest has none'),
  environmentConfigMap: z.string().optional().describe('ConfigMap whose keys become environment variables'),
  environmentSecret: z.string().optional().describe('Secret whose keys become environment variables'),
});

const services = z.strictObject({
  annotations: labels.default({}).describe('Annotations of every Service, below those of the manifest'),
  externalTrafficPolicy: z.enum(['Cluster', 'Local']).default('Cluster'),
  hostedZone: z
    .string()
    .optional()
    .describe('Zone of the names for external-dns: {cluster}.{namespace}.{zone}; without it there are none'),
});

const volumes = z.strictObject({
  storageClass: z
    .string()
    .optional()
    .describe('Where the manifest has none; without both, the default class'),
  whenDeleted: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of the volumes of a deleted cluster; Delete needs Kubernetes 1.27'),
  whenScaled: z
    .enum(['Retain', 'Delete'])
    .default('Retain')
    .describe('What becomes of the volumes of a smaller cluster; Delete needs Kubernetes 1.27'),
});

const logicalBackup = z.strictObject({
  volume: anyPart
    .optional()
    .describe(
      'Volume source that dumps are written to, such as a claim of an SMB share; without it a claim is made',
    ),
  size: z.string().optional().describe('Size of that claim; without it that of the data volume'),
  storageClass: z.string().optional().describe('Class of that claim'),
});

const backup = z.strictObject({
  size: z
    .string()
    .optional()
    .describe("Size of the volume of a cluster's repository host; without it twice that of the data volume"),
  storageClass: z.string().optional().describe('Class of that volume'),
});

const networkPolicies = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Only clients, members, poolers and the operator reach the pods'),
  operatorNamespace: z
    .string()
    .optional()
    .describe('Where the operator runs; without it every namespace may ask'),
});

export const operatorConfigSchema = z.strictObject({
  images: z
    .record(z.string().regex(/^\d+$/), z.string().min(1))
    .default({})
    .describe('Image of the database pods for each major version; a manifest can ask for these only'),
  poolerImage: z
    .string()
    .optional()
    .describe('Image with PgBouncer; without it manifests cannot ask for poolers'),
  poolerVersion: z.string().default('1.24').describe("PgBouncer's version in that image"),
  poolerRunAsUser: z.int().min(1).default(100).describe('User id of the pooler image'),
  poolerRunAsGroup: z.int().min(1).default(101).describe('Group id of the pooler image'),
  watchedNamespaces: z
    .array(z.string())
    .default([])
    .describe('Namespaces whose clusters are run; empty: that of the operator; `*`: all'),
  controllerId: z
    .string()
    .optional()
    .describe(
      'Only clusters with this annotation acid.zalan.do/controller are run; without it those without one',
    ),
  clusterDomain: z.string().default('cluster.local').describe('Domain of Services'),
  secretNameTemplate: z
    .string()
    .includes('{username}')
    .includes('{cluster}')
    .default('{username}.{cluster}.credentials.{tprkind}.{tprgroup}')
    .describe('Names of the Secrets of users'),
  inheritedLabels: z
    .array(z.string())
    .default([])
    .describe('Labels of the manifest that all its objects get'),
  inheritedAnnotations: z.array(z.string()).default([]).describe('The same for annotations'),
  patroni: timing.prefault({}),
  sentinel: sentinel.prefault({}),
  pods: pods.prefault({}),
  spread: spread.prefault({}),
  services: services.prefault({}),
  volumes: volumes.prefault({}),
  podDisruptionBudgets: disruption.prefault({}),
  networkPolicies: networkPolicies.prefault({}),
  backup: backup.prefault({}),
  logicalBackup: logicalBackup.prefault({}),
});

/** With every default filled in. */
export type OperatorConfig = z.infer<typeof operatorConfigSchema>;
