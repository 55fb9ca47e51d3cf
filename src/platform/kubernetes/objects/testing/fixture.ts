import { readFileSync } from 'node:fs';
import { specOf } from '../../../../core/manifest/manifestFixture.ts';
import type { ClusterSpec } from '../../../../core/manifest/spec.ts';
import { operatorConfigSchema } from '../../config.ts';
import type { ObjectsInput } from '../index.ts';

export const USERS_OWN = 'examples/wichtige-daten-3.yaml';
export const FULL = 'src/platform/kubernetes/objects/testing/full.yaml';

/** A configuration in which everything is chosen. */
export const FULL_CONFIG = {
  clusterDomain: 'example.internal',
  inheritedLabels: ['cost-centre'],
  inheritedAnnotations: ['example.com/owner'],
  patroni: { loopWait: 1 },
  pods: {
    managementPolicy: 'OrderedReady',
    imagePullSecrets: ['registry'],
    annotations: { 'example.com/pod': 'configured', 'example.com/all': 'configured' },
    environmentConfigMap: 'pod-environment',
    environmentSecret: 'pod-secrets',
  },
  spread: { antiAffinity: 'required' },
  services: { annotations: { 'example.com/all': 'configured' }, hostedZone: 'db.example.com' },
  volumes: { whenScaled: 'Delete' },
  networkPolicies: { enabled: true, operatorNamespace: 'pgherd' },
  logicalBackup: { volume: { persistentVolumeClaim: { claimName: 'share' } } },
};

const images = {
  '16': 'registry.example.com/pgherd-postgres:16',
  '17': 'registry.example.com/pgherd-postgres:17',
};

/** What the objects of a manifest are computed from; `config` is written as a person would. */
export function inputOf(spec: ClusterSpec, config: Record<string, unknown> = {}): ObjectsInput {
  return {
    spec,
    owner: { name: spec.name, namespace: spec.namespace, uid: '6b1c5a3e-6f0c-4a59-9d0e-1f6f2b3c4d5e' },
    config: operatorConfigSchema.parse({
      images,
      poolerImage: 'registry.example.com/pgherd-pgbouncer:1',
      ...config,
    }),
    facts: {
      systemSecretsHash: 'a1',
      poolerSecretsHash: 'b2',
      repositoryKeysHash: 'c3',
      podsSeen: 0,
      restartedAt: undefined,
    },
  };
}

/** A manifest of the repository, by its path from the root. */
export function specFrom(path: string): ClusterSpec {
  return specOf(readFileSync(new URL(`../../../../../${path}`, import.meta.url), 'utf8'), 'kubernetes');
}
