import { CLUSTER_RIGHTS, LEASE_RIGHTS, type Right, WIDE_RIGHTS } from './rights.ts';

/**
 * The operator's own objects, without the definition of `postgresql`: one description that becomes the plain YAML when
 * its blanks are filled with values, and the chart when they are filled with Helm's expressions.
 */

export const NAME = 'pgherd-operator';
export const METRICS_PORT = 8080;
const LABELS = { 'app.kubernetes.io/name': NAME };
const RBAC = 'rbac.authorization.k8s.io';

/** What differs between the two. Of no type: a value, or an expression that becomes one. */
export interface Blanks {
  namespace: unknown;
  image: unknown;
  imagePullPolicy: unknown;
  imagePullSecrets: unknown;
  replicas: unknown;
  /** The configuration, as text of a file. */
  config: unknown;
  /** Of the pods: one that changes with the configuration, so that they are replaced, and the values' own. */
  podAnnotations: unknown;
  resources: unknown;
  /** Of Node: without bounds it lets memory grow long before it looks for what is free. */
  nodeOptions: unknown;
  nodeSelector: unknown;
  tolerations: unknown;
  monitoring: { interval: unknown; labels: unknown };
}

type Part = Record<string, unknown>;

/** A piece of the installation, and when it belongs to it. */
export interface Piece {
  when: 'always' | 'clusterWide' | 'eachNamespace' | 'serviceMonitor' | 'alertRules';
  object: Part;
}

/** `namespaceOf`: of the pieces for each watched namespace. */
export function pieces(blanks: Blanks, namespaceOf: unknown): Piece[] {
  const { namespace } = blanks;
  const here = { name: NAME, namespace, labels: LABELS };
  const there = { name: NAME, namespace: namespaceOf, labels: LABELS };
  const wide = { name: NAME, labels: LABELS };
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace }];
  const role = (kind: string, metadata: Part, rules: readonly Right[]): Part => ({
    apiVersion: `${RBAC}/v1`,
    kind,
    metadata,
    rules,
  });
  const binding = (kind: string, metadata: Part): Part => ({
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name: metadata.name },
    subjects,
  });
  const electing = { ...here, name: `${NAME}-election` };
  return [
    { when: 'always', object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: here } },
    { when: 'always', object: role('Role', electing, LEASE_RIGHTS) },
    { when: 'always', object: binding('Role', electing) },
    { when: 'clusterWide', object: role('ClusterRole', wide, [...CLUSTER_RIGHTS, ...WIDE_RIGHTS]) },
    { when: 'clusterWide', object: binding('ClusterRole', wide) },
    { when: 'eachNamespace', object: role('Role', there, CLUSTER_RIGHTS) },
    { when: 'eachNamespace', object: binding('Role', there) },
    {
      when: 'always',
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: here,
        data: { 'operator.yaml': blanks.config },
      },
    },
    { when: 'always', object: deployment(blanks, here) },
    {
      when: 'always',
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { ...here, name: `${NAME}-metrics` },
        spec: { selector: LABELS, ports: [{ name: 'metrics', port: METRICS_PORT, targetPort: 'metrics' }] },
      },
    },
    { when: 'serviceMonitor', object: serviceMonitor(blanks) },
    { when: 'alertRules', object: alertRules(blanks) },
  ];
}

function deployment(blanks: Blanks, metadata: Part): Part {
  const probe = (path: string, more: Part) => ({ httpGet: { path, port: 'metrics' }, ...more });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: blanks.replicas,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS, annotations: blanks.podAnnotations },
        spec: {
          serviceAccountName: NAME,
          imagePullSecrets: blanks.imagePullSecrets,
          nodeSelector: blanks.nodeSelector,
          tolerations: blanks.tolerations,
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    labelSelector: { matchLabels: LABELS },
                    topologyKey: 'kubernetes.io/hostname',
                  },
                },
              ],
            },
          },
          // A step under way is finished, and the lease given back.
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'operator',
              image: blanks.image,
              imagePullPolicy: blanks.imagePullPolicy,
              args: ['operator', '--config', '/etc/pgherd/operator.yaml'],
              ports: [{ name: 'metrics', containerPort: METRICS_PORT }],
              livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
              readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 5 }),
              // The start of Node on a small machine takes seconds.
              startupProbe: probe('/healthz', { periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 60 }),
              resources: blanks.resources,
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              env: [
                { name: 'HOME', value: '/tmp' },
                { name: 'NODE_OPTIONS', value: blanks.nodeOptions },
              ],
              volumeMounts: [
                { name: 'config', mountPath: '/etc/pgherd', readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            { name: 'config', configMap: { name: NAME } },
            // Keys are made here before they become Secrets: memory, not disk.
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
          ],
        },
      },
    },
  };
}

function serviceMonitor({ namespace, monitoring }: Blanks): Part {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: NAME, namespace, labels: monitoring.labels },
    spec: {
      selector: { matchLabels: LABELS },
      endpoints: [{ port: 'metrics', interval: monitoring.interval }],
    },
  };
}

function alertRules({ namespace, monitoring }: Blanks): Part {
  const alert = (name: string, expr: string, wait: string, severity: string, summary: string): Part => ({
    alert: name,
    expr,
    for: wait,
    labels: { severity },
    annotations: { summary },
  });
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: NAME, namespace, labels: monitoring.labels },
    spec: {
      groups: [
        {
          name: 'pgherd',
          rules: [
            alert(
              'PgherdNobodyLeads',
              'absent(pgherd_leading == 1)',
              '2m',
              'critical',
              'No replica of the operator acts: databases go on, but nothing is changed or repaired',
            ),
            alert(
              'PgherdNoPrimary',
              'count by (namespace, cluster) (pgherd_member_up) unless count by (namespace, cluster) ' +
                '(pgherd_member_up{role="primary"} == 1)',
              '1m',
              'critical',
              'A cluster has no primary that serves',
            ),
            alert('PgherdMemberDown', 'pgherd_member_up == 0', '5m', 'warning', 'A member does not serve'),
            alert(
              'PgherdStandbyLags',
              'pgherd_member_lag_bytes > 256 * 1024 * 1024',
              '5m',
              'warning',
              'A standby is more than 256 MiB behind',
            ),
            alert(
              'PgherdReconcileFails',
              'increase(pgherd_reconciles_total{result="failed"}[15m]) > 5',
              '15m',
              'warning',
              'The operator fails again and again to bring clusters to their manifests',
            ),
            alert(
              'PgherdInvalidManifest',
              'pgherd_cluster_status{status="Invalid"} == 1',
              '5m',
              'warning',
              'A manifest is not valid; the cluster runs on as before',
            ),
          ],
        },
      ],
    },
  };
}
