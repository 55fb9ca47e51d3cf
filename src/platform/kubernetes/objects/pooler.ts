import { renderPgbouncer, renderPoolerHba, renderTarget } from '../../../engine/pgbouncer/config.ts';
import { maxConnections, RESERVED_CONNECTIONS } from '../../../engine/postgres/tuning.ts';
import { hashOf } from './hash.ts';
import { poolerImageOf } from './images.ts';
import type { ObjectsInput } from './input.ts';
import { inherited, metaOf, poolerLabels, poolerSelector, TEMPLATE_HASH } from './labels.ts';
import {
  POOLER_DIRECTORY,
  POOLER_RUN_DIRECTORY,
  SECRET_MODE,
  serverTls,
  tlsMounts,
  USERLIST_DIRECTORY,
} from './layout.ts';
import {
  certificateSecretName,
  POSTGRES_PORT,
  poolerNames,
  serviceName,
  userlistSecretName,
} from './names.ts';
import { defined, type KubeObject } from './object.ts';
import { containerResources } from './resources.ts';
import { scheduling } from './scheduling.ts';
import { locked, podSecurity } from './security.ts';
import { poolerWish, WISH_HASH } from './wish.ts';

/** Name of the container with PgBouncer. */
export const POOLER_CONTAINER = 'connection-pooler';
/** Name of the program in it. */
export const POOLER_PROCESS = 'pgbouncer';

export type PoolerEndpoint = 'pooler' | 'poolerStandby';

export function wantedPoolers({ spec }: Pick<ObjectsInput, 'spec'>): PoolerEndpoint[] {
  return [
    ...(spec.pooler.primary ? (['pooler'] as const) : []),
    ...(spec.pooler.standby ? (['poolerStandby'] as const) : []),
  ];
}

/** PgBouncer of one endpoint: its configuration, and the Deployment that runs it. */
export function pooler(input: ObjectsInput, endpoint: PoolerEndpoint): KubeObject[] {
  const { spec } = input;
  const name = poolerNames(spec.name)[endpoint];
  const labels = poolerLabels(input, name, endpoint);
  const data = configuration(input, endpoint);
  const template = podTemplate(input, name, labels, hashOf(data));
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metaOf(input, name, { labels }), data },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metaOf(input, name, {
        labels,
        annotations: {
          [TEMPLATE_HASH]: template.metadata.annotations[TEMPLATE_HASH],
          [WISH_HASH]: poolerWish(input),
        },
      }),
      spec: {
        // Without a server behind it a pooler only makes clients wait.
        replicas: spec.instances === 0 ? 0 : spec.pooler.instances,
        selector: { matchLabels: poolerSelector(name) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template,
      },
    },
  ];
}

function configuration(input: ObjectsInput, endpoint: PoolerEndpoint): Record<string, string> {
  const { spec, owner, config } = input;
  const tls = serverTls(spec.kubernetes.tls);
  const server = serviceName(spec.name, endpoint === 'pooler' ? 'primary' : 'standby');
  // Only certificates of ours are known to name the Services.
  const own = spec.kubernetes.tls === undefined ? 'verify-full' : 'verify-ca';
  return {
    'pgbouncer.ini': renderPgbouncer({
      pooler: spec.pooler,
      addresses: ['*'],
      port: POSTGRES_PORT,
      socketDir: POOLER_RUN_DIRECTORY,
      // Its directory outlives the container, in which the process has the same number each time.
      pidFile: undefined,
      targetFile: `${POOLER_DIRECTORY}/databases.ini`,
      userlistFile: `${USERLIST_DIRECTORY}/userlist.txt`,
      hbaFile: `${POOLER_DIRECTORY}/hba.conf`,
      tls,
      serverTls: tls.ca === undefined ? 'require' : own,
      version: config.poolerVersion,
      serverConnections: maxConnections(spec) - RESERVED_CONNECTIONS,
      databases: spec.databases.length + spec.preparedDatabases.length,
      processes: spec.pooler.instances,
      peers: [],
      peerId: 1,
    }),
    // Who may come this far is said by load balancers and network policies; here all show TLS and a password.
    'hba.conf': renderPoolerHba(['0.0.0.0/0', '::/0']),
    'databases.ini': renderTarget({
      address: `${server}.${owner.namespace}.svc.${config.clusterDomain}`,
      port: POSTGRES_PORT,
      lookupUser: spec.pooler.user,
    }),
  };
}

function podTemplate(input: ObjectsInput, name: string, labels: Record<string, string>, configHash: string) {
  const { spec, config, facts } = input;
  const { kubernetes } = spec;
  const certificates = tlsMounts(certificateSecretName(spec.name), kubernetes.tls);
  const annotations = defined({
    ...inherited(spec.annotations, config.inheritedAnnotations),
    ...config.pods.annotations,
    ...kubernetes.podAnnotations,
    'pgherd.dev/config-hash': configHash,
    'pgherd.dev/secrets-hash': facts.poolerSecretsHash,
  });
  const tcp = { tcpSocket: { port: POSTGRES_PORT } };
  const body = defined({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 60,
    securityContext: podSecurity(config.poolerRunAsUser, config.poolerRunAsGroup, config.poolerRunAsGroup),
    ...scheduling(input, poolerSelector(name)),
    containers: [
      {
        name: POOLER_CONTAINER,
        image: poolerImageOf(spec, config),
        imagePullPolicy: config.pods.imagePullPolicy,
        args: [POOLER_PROCESS, `${POOLER_DIRECTORY}/pgbouncer.ini`],
        ports: [{ name: 'postgresql', containerPort: POSTGRES_PORT, protocol: 'TCP' }],
        resources: containerResources(spec.pooler.resources),
        securityContext: locked,
        readinessProbe: { ...tcp, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 3 },
        livenessProbe: {
          ...tcp,
          initialDelaySeconds: 10,
          periodSeconds: 30,
          timeoutSeconds: 10,
          failureThreshold: 5,
        },
        // Services need a moment to send nobody here any more.
        lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
        volumeMounts: [
          { name: 'config', mountPath: POOLER_DIRECTORY, readOnly: true },
          { name: 'users', mountPath: USERLIST_DIRECTORY, readOnly: true },
          ...certificates.map(({ volume, path }) => ({ name: volume, mountPath: path, readOnly: true })),
          { name: 'run', mountPath: POOLER_RUN_DIRECTORY },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name } },
      { name: 'users', secret: { secretName: userlistSecretName(name), defaultMode: SECRET_MODE } },
      ...certificates.map(({ volume, secret }) => ({
        name: volume,
        secret: { secretName: secret, defaultMode: SECRET_MODE },
      })),
      { name: 'run', emptyDir: {} },
    ],
  });
  return {
    metadata: {
      labels,
      annotations: { ...annotations, [TEMPLATE_HASH]: hashOf({ labels, annotations, body }) },
    },
    spec: body,
  };
}
