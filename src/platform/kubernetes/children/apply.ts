import { poll } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiInvalidError } from '../api/errors.ts';
import { isKind, type Kind, type LiveObject } from '../api/kinds.ts';
import { hashOf } from '../objects/hash.ts';
import type { KubeObject } from '../objects/index.ts';
import { contains, DESIRED_HASH, editsOf, forgetBody } from './compare.ts';

/** What we know of objects that were as wanted, by uid: how they looked then. A memory to spare work, never a truth. */
export type Settled = Map<string, string>;

export interface Change {
  kind: Kind;
  name: string;
  what: 'created' | 'changed' | 'repaired' | 'removed';
}

/**
 * Why an object has to be sent: it is missing, we want something else than we last sent, or somebody edited a field of
 * ours. undefined: it is as wanted. Fields that webhooks or defaults add are not looked at, so they cannot make us
 * send for ever: what the server made of our own apply counts as right.
 */
export function whyApply(
  wanted: KubeObject,
  hash: string,
  live: LiveObject | undefined,
  settled: Settled,
): Change['what'] | undefined {
  if (live === undefined) return 'created';
  if (live.metadata.annotations?.[DESIRED_HASH] !== hash) return 'changed';
  const edits = editsOf(live);
  if (settled.get(live.metadata.uid) === edits) return undefined;
  // Changed by others, or not seen before by this process: our own fields tell.
  if (!contains(live, wanted)) return 'repaired';
  settled.set(live.metadata.uid, edits);
  return undefined;
}

export interface ApplyContext {
  client: KubeClient;
  settled: Settled;
  /** The live object, as far as it is known. */
  find(kind: Kind, namespace: string, name: string): LiveObject | undefined;
  /** Takes in what the server answered. */
  put(kind: Kind, object: LiveObject): void;
  signal: AbortSignal;
}

/** Brings one object to what is wanted. Resolves with what was done; undefined: nothing had to be. */
export async function applyObject(object: KubeObject, context: ApplyContext): Promise<Change | undefined> {
  const { kind } = object;
  if (!isKind(kind)) throw new TypeError(`no such kind: ${kind}`);
  const { name, namespace } = object.metadata;
  const hash = hashOf(object);
  const live = context.find(kind, namespace, name);
  const what = whyApply(object, hash, live, context.settled);
  if (what === undefined) {
    if (live !== undefined) forgetBody(kind, live);
    return undefined;
  }
  const annotations = { ...object.metadata.annotations, [DESIRED_HASH]: hash };
  const sent = { ...object, metadata: { ...object.metadata, annotations } };
  const answer = await send(sent, live, context);
  context.settled.set(answer.metadata.uid, editsOf(answer));
  context.put(kind, answer);
  return { kind, name, what };
}

/** The garbage collector of a busy server takes its time. */
const ORPHAN_MS = 30_000;

/** Fields of a StatefulSet that the API server lets nobody change. */
const FIXED = ['volumeClaimTemplates', 'serviceName', 'podManagementPolicy', 'selector'] as const;

async function send(
  object: KubeObject,
  live: LiveObject | undefined,
  context: ApplyContext,
): Promise<LiveObject> {
  const { client, signal } = context;
  try {
    return await client.apply(object, signal);
  } catch (error) {
    if (!(error instanceof ApiInvalidError) || object.kind !== 'StatefulSet' || live === undefined)
      throw error;
    const spec = (object.spec ?? {}) as Record<string, unknown>;
    const before = (live.spec ?? {}) as Record<string, unknown>;
    if (FIXED.every(field => contains(before[field], spec[field]))) throw error;
    // The pods stay and are taken over by the new one, which is tried first: they must not end up without any.
    await client.dryRunCreate(
      { ...object, metadata: { ...object.metadata, name: `${live.metadata.name}-try` } },
      signal,
    );
    const { namespace, name } = object.metadata;
    await client.remove(
      { kind: 'StatefulSet', namespace, name },
      { uid: live.metadata.uid, propagation: 'Orphan' },
      signal,
    );
    // It stays until the garbage collector has let its pods go, and takes no changes meanwhile.
    await poll(
      async inner => {
        const left = await client.get({ kind: 'StatefulSet', namespace, name }, inner);
        return left?.metadata.uid === live.metadata.uid ? undefined : true;
      },
      { what: `StatefulSet ${name} to let its pods go`, timeoutMs: ORPHAN_MS, everyMs: 200, signal },
    );
    return client.apply(object, signal);
  }
}

/** Removes children that nobody wants any more: only what this very manifest owns. */
export async function removeOthers(
  owned: LiveObject[],
  wanted: ReadonlySet<string>,
  ownerUid: string,
  context: ApplyContext,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const object of owned) {
    const { kind, metadata } = object;
    const ours = metadata.ownerReferences?.some(owner => owner.uid === ownerUid && owner.controller === true);
    if (!isKind(kind) || !ours || metadata.deletionTimestamp !== undefined) continue;
    if (wanted.has(`${kind}/${metadata.name}`)) continue;
    await context.client.remove(
      { kind, namespace: metadata.namespace, name: metadata.name },
      { uid: metadata.uid },
      context.signal,
    );
    changes.push({ kind, name: metadata.name, what: 'removed' });
  }
  return changes;
}
