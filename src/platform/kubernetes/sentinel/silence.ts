/**
 * Which pods of poolers fell silent with their hosts: pure. The evidence is that of core/failover for a silent host:
 * consecutive timely looks without an answer, confirmed from outside and from most members' hosts, while most of
 * these answer us.
 */
import type { Streak } from '../../../core/failover/evidence.ts';
import { outside } from '../../../core/failover/sample.ts';
import { extend } from '../../../core/failover/streak.ts';
import { defaultThresholds } from '../../../core/failover/thresholds.ts';

const { minLooks, minProbes } = defaultThresholds;
/** [D] Twice a blip that the sentinel lets pass; whoever is taken out wrongly is back after ten seconds. */
const SILENT_MS = 1_000;

export interface PoolerPod {
  name: string;
  uid: string;
  /** What it stands behind, with pods that can stand in for it. */
  pooler: string;
  node: string | undefined;
  /** Whether Services lead there. */
  ready: boolean;
}

/** One attempt to connect. `reached` undefined: the place did not answer us. */
export interface Attempt {
  uid: string;
  from: string;
  reached: boolean | undefined;
}

/** Every pod that is ready was asked from outside, those in doubt from the members as well, and their kubelet, too. */
export interface Look {
  at: number;
  /** Neither its beginning nor its end came late. */
  timely: boolean;
  pods: readonly PoolerPod[];
  members: readonly { name: string; node: string | undefined }[];
  attempts: readonly Attempt[];
}

interface Silence {
  streak: Streak;
  /** In a row, by place. */
  failures: Readonly<Record<string, number>>;
}

export interface Memory {
  at: number;
  /** By pod; one that answers has none. */
  silences: ReadonlyMap<string, Silence>;
}

export interface Silent {
  pod: PoolerPod;
  /** Seconds. */
  forS: number;
  /** Who tried in vain. */
  places: readonly string[];
}

/** One more look: what is known now, and which pods are to be led to no more. */
export function judge(before: Memory, look: Look): { memory: Memory; silent: Silent[] } {
  const silences = new Map<string, Silence>();
  for (const { uid, ready } of look.pods) {
    const silence = ready ? observe(before, look, uid) : undefined;
    if (silence !== undefined) silences.set(uid, silence);
  }
  const memory = { at: look.at, silences };
  return { memory, silent: look.pods.flatMap(pod => verdict(pod, memory, look) ?? []) };
}

/** Any answer ends a silence, and so does a look that came late: what it missed cannot be told from silence. */
function observe(before: Memory, { at, timely, attempts }: Look, uid: string): Silence | undefined {
  const own = attempts.filter(attempt => attempt.uid === uid);
  if (!timely || own.length === 0 || own.some(({ reached }) => reached === true)) return undefined;
  const earlier = before.silences.get(uid);
  const failures = own.map(({ from, reached }) => {
    return [from, reached === false ? (earlier?.failures[from] ?? 0) + 1 : 0] as const;
  });
  const streak = extend(earlier?.streak, { at, timely, gapMs: at - before.at });
  return { streak, failures: Object.fromEntries(failures) };
}

function verdict(pod: PoolerPod, { silences }: Memory, look: Look): Silent | undefined {
  const silence = silences.get(pod.uid);
  if (silence === undefined) return undefined;
  const { streak, failures } = silence;
  if (streak.looks < minLooks || streak.heldMs < SILENT_MS) return undefined;
  // A member beside it would be silent with it.
  const others = look.members.filter(({ node }) => node !== pod.node).map(({ name }) => name);
  const own = look.attempts.filter(({ uid, reached }) => uid === pod.uid && reached !== undefined);
  const answering = others.filter(name => own.some(({ from }) => from === name));
  // We may be the ones who are cut off.
  if (answering.length * 2 <= others.length) return undefined;
  const places = [outside, ...others].filter(place => (failures[place] ?? 0) >= minProbes);
  if (!places.includes(outside) || places.length * 2 <= others.length + 1) return undefined;
  return hasStandIn(pod, look) ? { pod, forS: streak.heldMs / 1000, places } : undefined;
}

/** Another pod of the same pooler serves, and was reached just now: where a policy keeps us out, none is. */
function hasStandIn({ uid, pooler }: PoolerPod, { pods, attempts }: Look): boolean {
  const reached = new Set(attempts.filter(attempt => attempt.reached === true).map(attempt => attempt.uid));
  return pods.some(
    other => other.uid !== uid && other.pooler === pooler && other.ready && reached.has(other.uid),
  );
}
