/**
 * Looks after the pods of a cluster's poolers: one that fell silent with its host is marked as not ready, as Kubernetes
 * itself does when it notices the node, 40 s later. Services then lead nobody there. A kubelet that lives puts the mark
 * right within ten seconds, so a false alarm costs no more than that.
 */
import { outside } from '../../../core/failover/sample.ts';
import { defaultThresholds } from '../../../core/failover/thresholds.ts';
import { messageOf } from '../../../lib/errors.ts';
import { answersTo, listensAt, REACH_MS } from '../../../lib/reach.ts';
import { sleep } from '../../../lib/time.ts';
import type { Journal } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { POOLER_LABEL } from '../objects/labels.ts';
import { POSTGRES_PORT, poolerNames } from '../objects/names.ts';
import { Outpost } from './outpost.ts';
import { Post, type PostInput } from './post.ts';
import { type Attempt, judge, type Memory, type PoolerPod, type Silent } from './silence.ts';

const PACE_MS = { calm: 1_000, doubt: 100 };
/** Of all attempts of a look: REACH_MS, and a program to be started in a member. */
const LOOK_MS = REACH_MS + 200;
/** When the API server does not let us. */
const AGAIN_MS = 10_000;
const KUBELET_PORT = 10_250;
/** While it listens, its own probes tell whether the pod is ready. */
const KUBELET = 'its kubelet';
const REQUEST_MS = 5_000;

type Pod = PoolerPod & { ip: string; hostIp: string | undefined; object: LiveObject };

/** Until the signal aborts. Never rejects; `report` gets a line for each trouble. */
export async function watchPoolers(
  input: PostInput,
  journal: Journal,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<void> {
  using post = new Post(input);
  using outposts = new Outposts(post);
  const acted = new Map<string, number>();
  let memory: Memory = { at: now(), silences: new Map() };
  for (;;) {
    const paceMs = memory.silences.size > 0 ? PACE_MS.doubt : Math.max(PACE_MS.calm, input.calmMs());
    const planned = now() + paceMs;
    if (
      !(await sleep(paceMs, signal).then(
        () => true,
        () => false,
      ))
    )
      return;
    const began = now();
    const pods = poolerPods(input);
    const ready = pods.filter(pod => pod.ready);
    const attempts = (await Promise.all(ready.map(pod => outposts.ask(pod, memory)))).flat();
    const { timelyMs } = defaultThresholds;
    const timely = began - planned <= timelyMs && now() - began <= LOOK_MS + timelyMs;
    const judged = judge(memory, { at: now(), timely, pods, members: membersOf(post), attempts });
    memory = judged.memory;
    outposts.keep(memory.silences);
    for (const silent of judged.silent) {
      const { uid } = silent.pod;
      if (now() - (acted.get(uid) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) continue;
      acted.set(uid, now());
      const pod = pods.find(item => item.uid === uid);
      if (pod === undefined) continue;
      // The next look need not wait for the API server.
      void takeOut(pod, silent, input.client, journal).catch(error => {
        if (!signal.aborted) report(`pooler ${pod.name} is silent: ${messageOf(error)}`);
      });
    }
  }
}

/** Places to ask from, manned as long as a pod is in doubt: a session for each question, as they do not share one. */
class Outposts implements Disposable {
  readonly #post: Post;
  readonly #manned = new Map<string, Map<string, Outpost>>();

  constructor(post: Post) {
    this.#post = post;
  }

  async ask({ uid, ip, hostIp }: Pod, { silences }: Memory): Promise<Attempt[]> {
    const doubted = silences.has(uid);
    if (doubted) this.#man(uid);
    const attempt = async (from: string, asked: Promise<boolean | undefined>) => ({
      uid,
      from,
      reached: await asked,
    });
    const places = [...(this.#manned.get(uid) ?? [])];
    return await Promise.all([
      attempt(outside, answersTo(ip, POSTGRES_PORT)),
      ...(doubted && hostIp !== undefined ? [attempt(KUBELET, listensAt(hostIp, KUBELET_PORT))] : []),
      ...places.map(([from, outpost]) => attempt(from, outpost.connects(ip, POSTGRES_PORT))),
    ]);
  }

  /** Those that nobody doubts any more need no places. */
  keep(doubted: ReadonlyMap<string, unknown>): void {
    for (const [uid, places] of this.#manned) {
      if (doubted.has(uid)) continue;
      for (const outpost of places.values()) outpost[Symbol.dispose]();
      this.#manned.delete(uid);
    }
  }

  [Symbol.dispose](): void {
    this.keep(new Map());
  }

  #man(uid: string): void {
    if (this.#manned.has(uid)) return;
    const places = this.#post.members.flatMap(member => {
      const target = this.#post.link(member);
      return target === undefined ? [] : [[member, new Outpost(target)] as const];
    });
    this.#manned.set(uid, new Map(places));
  }
}

/** While it is the version that we have seen: whoever wrote since is alive. */
async function takeOut(
  { object, node }: Pod,
  { pod, forS, places }: Silent,
  client: KubeClient,
  journal: Journal,
): Promise<void> {
  const { name, namespace, resourceVersion } = object.metadata;
  const said = `no answer for ${forS.toFixed(1)} s, neither to the operator nor to most members' hosts`;
  const ready = {
    type: 'Ready',
    status: 'False',
    reason: 'HostSilent',
    message: said,
    lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const conditions = [...conditionsOf(object).filter(({ type }) => type !== 'Ready'), ready];
  const patch = { metadata: { resourceVersion }, status: { conditions } };
  try {
    await client.merge({ kind: 'Pod', namespace, name }, patch, AbortSignal.timeout(REQUEST_MS), 'status');
  } catch (error) {
    if (error instanceof ApiConflictError) return;
    throw error;
  }
  await journal.append({
    actor: 'sentinel',
    event: 'pooler-silent',
    subject: pod.name,
    message: `${pod.name} on ${node ?? 'an unknown node'}: ${said}; its Service leads to the others until its kubelet says that it is ready`,
    reason: JSON.stringify({ places }),
  });
}

interface Condition {
  type: string;
  status: string;
}

function conditionsOf(pod: LiveObject): Condition[] {
  return (pod.status as { conditions?: Condition[] } | undefined)?.conditions ?? [];
}

function poolerPods({ spec, watched }: PostInput): Pod[] {
  const names = Object.values(poolerNames(spec.name));
  return watched().pods.flatMap(object => {
    const { name, uid, labels, deletionTimestamp } = object.metadata;
    const pooler = labels?.[POOLER_LABEL];
    const { podIP, hostIP: hostIp } = (object.status ?? {}) as { podIP?: string; hostIP?: string };
    if (pooler === undefined || !names.includes(pooler) || podIP === undefined) return [];
    if (deletionTimestamp !== undefined) return [];
    const ready = conditionsOf(object).some(({ type, status }) => type === 'Ready' && status === 'True');
    return [{ name, uid, pooler, node: nodeOf(object), ready, ip: podIP, hostIp, object }];
  });
}

function membersOf(post: Post): { name: string; node: string | undefined }[] {
  return post.members.map(name => ({ name, node: nodeOf(post.pod(name)) }));
}

function nodeOf(pod: LiveObject | undefined): string | undefined {
  return (pod?.spec as { nodeName?: string } | undefined)?.nodeName;
}

/** Monotonic, milliseconds. */
function now(): number {
  return performance.now();
}
