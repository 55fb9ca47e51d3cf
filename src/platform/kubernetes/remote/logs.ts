import { messageOf } from '../../../lib/errors.ts';
import { sleep } from '../../../lib/time.ts';
import type { ClusterRef, LogLine, LogOptions } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiError, ApiInvalidError, ApiNotFoundError, ApiUnreachableError } from '../api/errors.ts';
import type { ExecTarget } from '../api/exec.ts';
import type { LiveObject } from '../api/kinds.ts';
import { type LogQuery, podLog, stampOf } from '../api/podLog.ts';
import { APPLICATION_LABEL, CLUSTER_LABEL, memberSelector, POOLER_LABEL } from '../objects/labels.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { POOLER_CONTAINER } from '../objects/pooler.ts';
import { asLogLine, inOrder, type PodLine, selected } from './logLines.ts';

/** Lines of several pods that came within this time are put in order. */
const GATHER_MS = 250;
/** Pods come and go while their logs are followed. */
const LOOK_EVERY_MS = 2_000;
const REOPEN_MS = 1_000;

interface Source extends ExecTarget {
  uid: string;
  /** The container has run before: what it said then is kept. */
  restarted: boolean;
}

/**
 * The logs of members and poolers, oldest first; with `follow` new lines as they come, also of containers that start
 * again and of pods that are made anew. A line's component is its pod; a pooler is chosen by its pod or its Deployment.
 */
export async function* readLogs(
  client: KubeClient,
  ref: ClusterRef,
  { follow, since, components, tail }: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const from = since === undefined ? '' : stampOf(since);
  const sources = await sourcesOf(client, ref, components, signal);
  const pasts = await Promise.all(
    sources.map(source => pastOf(client, source, { since: from || undefined, tail }, signal)),
  );
  yield* selected(pasts.flat(), { from, tail }).map(asLogLine);
  if (!follow) return;

  const ended = new AbortController();
  const inner = AbortSignal.any([signal, ended.signal]);
  const followed = new Set<string>();
  let fresh: PodLine[] = [];
  const begin = (source: Source, last: string) => {
    followed.add(source.uid);
    void followOne(client, source, last, line => fresh.push(line), inner);
  };
  try {
    sources.forEach((source, n) => {
      begin(source, pasts[n]?.at(-1)?.stamp ?? from);
    });
    for (let looked = performance.now(); ; ) {
      await sleep(GATHER_MS, inner);
      const lines = inOrder(fresh);
      fresh = [];
      yield* lines.map(asLogLine);
      if (performance.now() - looked < LOOK_EVERY_MS) continue;
      looked = performance.now();
      const now = await sourcesOf(client, ref, components, inner).catch(whileAway);
      for (const source of now) if (!followed.has(source.uid)) begin(source, from);
    }
  } finally {
    ended.abort(new Error('nobody reads the log any more'));
  }
}

/** All that is kept of one container. */
async function pastOf(
  client: KubeClient,
  source: Source,
  query: LogQuery,
  signal: AbortSignal,
): Promise<PodLine[]> {
  const lines: PodLine[] = [];
  for (const previous of source.restarted ? [true, false] : [false]) {
    try {
      for await (const line of podLog(client, source, { ...query, previous }, signal)) {
        lines.push({ ...line, component: source.pod });
      }
    } catch (error) {
      signal.throwIfAborted();
      // It has gone since it was listed, or has not said anything yet.
      if (error instanceof ApiNotFoundError || error instanceof ApiInvalidError) continue;
      if (!isNodeTrouble(error)) throw error;
      lines.push(saying(source, error));
    }
  }
  return lines;
}

/** Until the pod is gone or the signal aborts; never rejects. A stream that ends is opened again where it ended. */
async function followOne(
  client: KubeClient,
  source: Source,
  from: string,
  push: (line: PodLine) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = from;
  let told = false;
  while (!signal.aborted) {
    try {
      const query = { follow: true, since: last || undefined };
      for await (const line of podLog(client, source, query, signal)) {
        if (line.stamp <= last) continue;
        last = line.stamp;
        push({ ...line, component: source.pod });
      }
    } catch (error) {
      if (signal.aborted || error instanceof ApiNotFoundError) return;
      if (isNodeTrouble(error)) {
        if (!told) push(saying(source, error));
        told = true;
      } else if (!(error instanceof ApiUnreachableError || error instanceof ApiInvalidError)) {
        push(saying(source, error));
        return;
      }
    }
    await sleep(REOPEN_MS, signal).catch(() => {});
  }
}

async function sourcesOf(
  client: KubeClient,
  { name, namespace }: ClusterRef,
  components: readonly string[],
  signal: AbortSignal,
): Promise<Source[]> {
  const labelSelector = `${CLUSTER_LABEL}=${name}`;
  const { items } = await client.list('Pod', { namespace, labelSelector }, signal);
  return items.flatMap(pod => sourceOf(pod, name, components) ?? []);
}

/** undefined: no server of the cluster, or none that was asked for. */
export function sourceOf(
  { metadata, status }: LiveObject,
  cluster: string,
  components: readonly string[],
): Source | undefined {
  const { name, namespace = '', uid, labels = {} } = metadata;
  const pooler = labels[POOLER_LABEL];
  const member = labels[APPLICATION_LABEL] === memberSelector(cluster)[APPLICATION_LABEL];
  if (!member && pooler === undefined) return undefined;
  const names = pooler === undefined ? [name] : [name, pooler];
  if (components.length > 0 && !names.some(one => components.includes(one))) return undefined;
  const container = pooler === undefined ? MEMBER_CONTAINER : POOLER_CONTAINER;
  const { containerStatuses = [] } = (status ?? {}) as {
    containerStatuses?: { name: string; restartCount?: number }[];
  };
  const restarts = containerStatuses.find(item => item.name === container)?.restartCount ?? 0;
  return { namespace, pod: name, container, uid, restarted: restarts > 0 };
}

/** The API server cannot get the log of its node, which is away or too busy: the logs of others are there. */
function isNodeTrouble(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 500;
}

/** In the place of what cannot be read. */
function saying({ pod }: Source, error: unknown): PodLine {
  return { stamp: stampOf(new Date()), text: `pgherd: ${messageOf(error)}`, component: pod };
}

/** An API server that is away for a while comes back; what was said meanwhile is kept by the nodes. */
function whileAway(error: unknown): Source[] {
  if (error instanceof ApiUnreachableError) return [];
  throw error;
}
