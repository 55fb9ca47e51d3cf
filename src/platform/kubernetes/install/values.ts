import { z } from 'zod';
import { operatorConfigSchema } from '../config.ts';

/**
 * What can be chosen when the operator is installed. The chart's values.yaml and values.schema.json are made of this,
 * and the plain YAML is what the defaults give.
 */

const labels = z.record(z.string(), z.string());
const anyPart = z.record(z.string(), z.json());

const monitoring = z.strictObject({
  serviceMonitor: z
    .boolean()
    .default(false)
    .describe('A ServiceMonitor, for the Prometheus operator: its definitions must be installed'),
  alertRules: z.boolean().default(false).describe('A PrometheusRule with alerts, likewise'),
  interval: z.string().default('30s').describe('How often Prometheus asks'),
  labels: labels.default({}).describe('Labels by which Prometheus finds the two'),
});

/** `version`: of the images named by default. */
export function installValuesSchema(version: string) {
  return z.strictObject({
    image: z.string().min(1).default(`localhost/pgherd-operator:${version}`).describe("The operator's image"),
    imagePullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']).default('IfNotPresent'),
    imagePullSecrets: z
      .array(z.strictObject({ name: z.string() }))
      .default([])
      .describe("Secrets in the operator's namespace"),
    replicas: z.int().min(0).default(2).describe('One acts, the others wait to take over'),
    config: operatorConfigSchema
      .prefault({
        images: { '17': `localhost/pgherd-postgres:17-${version}` },
        poolerImage: `localhost/pgherd-pgbouncer:${version}`,
        watchedNamespaces: ['*'],
      })
      .describe('The configuration of the operator; only what differs from its defaults need be named'),
    resources: anyPart
      .default({ requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } })
      .describe('Of one replica'),
    nodeOptions: z
      .string()
      .default('--max-semi-space-size=4 --max-old-space-size=256')
      .describe('Bounds of memory for Node: enough for more than 500 clusters; raise both for thousands'),
    nodeSelector: labels.default({}).describe('Nodes that the operator may run on'),
    tolerations: z.array(anyPart).default([]).describe('Taints that the operator stands'),
    podAnnotations: labels.default({}).describe("Annotations of the operator's pods"),
    monitoring: monitoring.prefault({}),
  });
}

/** What is named explicitly by default: the plain YAML and values.yaml hold these. */
export function defaultValues(version: string) {
  const values = installValuesSchema(version).parse({});
  const { images, poolerImage, watchedNamespaces } = values.config;
  return { ...values, config: { images, poolerImage, watchedNamespaces } };
}
