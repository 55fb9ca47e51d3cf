import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { mayInterrupt } from '../../../core/schedule/maintenance.ts';
import type { LiveObject } from '../api/kinds.ts';
import { type ApplyContext, applyObject, type Change, removeOthers } from '../children/apply.ts';
import { ensureBackupKeys } from '../children/backupKeys.ts';
import { certificateData, certificateSecret, certificateSecretNames } from '../children/certificates.ts';
import { ensureSecrets, type Passwords, userlistSecret } from '../children/secrets.ts';
import { hashOf } from '../objects/hash.ts';
import {
  desiredObjects,
  heldBack,
  type KubeObject,
  type ObjectsInput,
  secretsWanted,
} from '../objects/index.ts';
import { clusterLabels, metaOf, TEMPLATE_HASH } from '../objects/labels.ts';
import { poolerNames, userlistSecretName } from '../objects/names.ts';
import { archives } from '../objects/repositories.ts';
import { CHILD_KINDS } from '../operator/watched.ts';
import { ordinalOf } from '../patroni/view.ts';
import type { Trouble } from '../status/compute.ts';
import { backupSecrets } from './backupSecrets.ts';
import { prepareClone } from './clone.ts';
import { type Memory, RESTART_ANNOTATION, type Reconciler } from './context.ts';
import { ForeignObjectError } from './foreign.ts';

/** Certificates and what others forgot are looked at anew after this time, also when nothing changed. */
const REVISIT_MS = 30 * 60_000;

export interface ObjectsResult {
  changes: Change[];
  passwords: Passwords;
  /** Hash of the pod template that every pod should be made from. */
  templateHash: string;
  /** As the StatefulSet asks now. */
  replicas: number;
  labels: Record<string, string>;
  /** What somebody has to put right, although all else is as it should be. */
  trouble: Trouble | undefined;
  /** Changes that nobody asked for would replace pods: they wait for a maintenance window. */
  held: boolean;
}

/**
 * Makes, changes, repairs and removes everything of a cluster that is not a pod. The number of replicas is left as it
 * is: it changes in steps of its own (roll/), but for a StatefulSet that does not exist yet.
 */
export async function syncObjects(
  cluster: LiveObject,
  spec: ClusterSpec,
  reconciler: Reconciler,
  memory: Memory,
  signal: AbortSignal,
): Promise<ObjectsResult> {
  const { client, watched, config } = reconciler;
  const { name, namespace = 'default', uid } = cluster.metadata;
  const key = `${namespace}/${name}`;
  const context: ApplyContext = {
    client,
    settled: memory.settled,
    find: (kind, where, what) => watched.find(kind, where, what),
    put: (kind, object) => watched.put(kind, object),
    signal,
  };
  const live = watched.find('StatefulSet', namespace, name);
  if (live !== undefined && !owned(live, uid)) throw new ForeignObjectError(live);
  const replicas = (live?.spec as { replicas?: number } | undefined)?.replicas;

  const input: ObjectsInput = {
    spec,
    owner: { name, namespace, uid },
    config,
    facts: {
      systemSecretsHash: undefined,
      repositoryKeysHash: undefined,
      poolerSecretsHash: undefined,
      podsSeen: podsSeen(watched.children('Pod', key), name),
      restartedAt: cluster.metadata.annotations?.[RESTART_ANNOTATION],
    },
  };
  if (live === undefined) await prepareClone(spec, namespace, reconciler, signal);
  const labels = clusterLabels(input);
  const wanted = secretsWanted(spec, config);
  const passwords = await ensureSecrets(wanted, labels, context);
  input.facts.systemSecretsHash = passwords.systemHash;
  const keys = archives(spec) ? await ensureBackupKeys({ namespace, name }, labels, context) : undefined;
  if (keys !== undefined) input.facts.repositoryKeysHash = hashOf([keys.hostKey, keys.clientLine]);
  const userlists = userlistsOf(input, wanted, passwords);
  input.facts.poolerSecretsHash =
    userlists.length === 0 ? undefined : hashOf(userlists.map(list => list.data));

  const open = mayInterrupt(spec.maintenanceWindows, reconciler.now());
  // Everything that the objects depend on, and every child as it is: while that is the same there is nothing to do.
  const fingerprint = hashOf([
    memory.parsed?.version,
    input.facts,
    open,
    userlists,
    CHILD_KINDS.flatMap(kind => watched.children(kind, key))
      .filter(object => !isPatronis(object, uid))
      .map(object => `${object.kind}/${object.metadata.name}@${object.metadata.resourceVersion}`),
  ]);
  const known = memory.objects;
  if (
    known !== undefined &&
    known.fingerprint === fingerprint &&
    performance.now() - known.at < REVISIT_MS &&
    replicas !== undefined
  ) {
    const { templateHash, held, trouble } = known;
    return { passwords, labels, templateHash, held, trouble, changes: [], replicas };
  }

  const objects = desiredObjects(input).map(object =>
    isMembers(object, name) && replicas !== undefined ? withReplicas(object, replicas) : object,
  );
  const waiting = open
    ? new Set<string>()
    : heldBack(objects, (kind, of) => watched.find(kind, namespace, of));
  const held = waiting.size > 0;
  const set = objects.find(object => isMembers(object, name));
  const templateHash = templateHashOf(waiting.has(`StatefulSet/${name}`) ? live : set);
  const certificates = await certificateSecrets(input, reconciler, labels, signal);
  const { secrets, trouble } = await backupSecrets(input, keys, context);
  const all = [...certificates, ...userlists, ...secrets, ...objects];
  const changes: Change[] = [];
  for (const object of all) {
    if (waiting.has(`${object.kind}/${object.metadata.name}`)) continue;
    const change = await applyObject(object, context);
    if (change !== undefined) changes.push(change);
  }
  const keep = new Set([
    ...all.map(object => `${object.kind}/${object.metadata.name}`),
    ...Object.values(certificateSecretNames(name)).map(secret => `Secret/${secret}`),
  ]);
  const children = CHILD_KINDS.filter(kind => kind !== 'PersistentVolumeClaim').flatMap(kind =>
    watched.children(kind, key),
  );
  changes.push(...(await removeOthers(children, keep, uid, context)));
  memory.objects =
    changes.length === 0 ? { fingerprint, at: performance.now(), templateHash, held, trouble } : undefined;
  return { passwords, labels, templateHash, held, trouble, changes, replicas: replicas ?? spec.instances };
}

/** Sets the number of replicas, which is no part of what `syncObjects` keeps. */
export async function scale(
  cluster: LiveObject,
  replicas: number,
  { client }: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = cluster.metadata;
  await client.merge({ kind: 'StatefulSet', namespace, name }, { spec: { replicas } }, signal);
}

function withReplicas(object: KubeObject, replicas: number): KubeObject {
  return { ...object, spec: { ...(object.spec as object), replicas } };
}

/** The repository host is a StatefulSet, too. */
function isMembers({ kind, metadata }: KubeObject, cluster: string): boolean {
  return kind === 'StatefulSet' && metadata.name === cluster;
}

function templateHashOf(set: KubeObject | LiveObject | undefined): string {
  return set?.metadata.annotations?.[TEMPLATE_HASH] ?? '';
}

function userlistsOf(
  input: ObjectsInput,
  wanted: ReturnType<typeof secretsWanted>,
  passwords: Passwords,
): KubeObject[] {
  const { pooler, name } = input.spec;
  const names = poolerNames(name);
  return (
    [
      [pooler.primary, names.pooler],
      [pooler.standby, names.poolerStandby],
    ] as const
  )
    .filter(([on]) => on)
    .map(([, of]) => userlistSecret(metaOf(input, userlistSecretName(of)), wanted, passwords));
}

async function certificateSecrets(
  input: ObjectsInput,
  { watched, config, openssl, now }: Reconciler,
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { name, namespace } = input.owner;
  const names = certificateSecretNames(name);
  const data = await certificateData(
    { cluster: name, namespace, clusterDomain: config.clusterDomain, openssl, now: now(), signal },
    watched.find('Secret', namespace, names.authority),
    watched.find('Secret', namespace, names.servers),
  );
  return [
    // The authority outlives the manifest: clients have its certificate.
    ...(data.authority === undefined
      ? []
      : [certificateSecret({ name: names.authority, namespace, labels }, data.authority)]),
    ...(data.servers === undefined ? [] : [certificateSecret(metaOf(input, names.servers), data.servers)]),
  ];
}

function owned(object: LiveObject, uid: string): boolean {
  return object.metadata.ownerReferences?.some(owner => owner.uid === uid) === true;
}

/** Patroni's own ConfigMaps change all the time, and are nobody's. */
function isPatronis(object: LiveObject, uid: string): boolean {
  return object.kind === 'ConfigMap' && !owned(object, uid);
}

function podsSeen(pods: LiveObject[], cluster: string): number {
  return Math.max(0, ...pods.map(pod => (ordinalOf(cluster, pod.metadata.name) ?? -1) + 1));
}
