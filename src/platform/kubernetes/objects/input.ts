import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { OperatorConfig } from '../config.ts';
import type { Owner } from './object.ts';

/** All that the objects of a cluster depend on. The same input gives the same objects, to the letter. */
export interface ObjectsInput {
  spec: ClusterSpec;
  owner: Owner;
  config: OperatorConfig;
  facts: ObjectFacts;
}

/** What must be known from outside. Only what changes a running pod is here as a hash. */
export interface ObjectFacts {
  /**
   * Hash of the passwords that Patroni has in its environment (`postgres`, `standby`): pods are replaced when it
   * changes. Undefined while the Secrets do not exist.
   */
  systemSecretsHash: string | undefined;
  /** Hash of the Secret `<pooler>-u` of each pooler: its pods read it when they start. */
  poolerSecretsHash: string | undefined;
  /** Hash of the keys of the repository host, which reads them when it starts. */
  repositoryKeysHash: string | undefined;
  /** One more than the highest number of a pod that exists: such a pod keeps its rights until it is gone. */
  podsSeen: number;
  /** Changed by a person's wish to restart everything; undefined: never asked for. */
  restartedAt: string | undefined;
}
