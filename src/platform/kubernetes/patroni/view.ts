import { primaryFirst } from '../../../core/plan/memberRestarts.ts';
import { isRecord } from '../../../core/plan/values.ts';
import type { DynamicConfig } from '../../../core/topology/observation.ts';
import type { LiveObject } from '../api/kinds.ts';
import { parsedJson } from '../api/parsedJson.ts';
import { FAULTS_RENEWED } from '../objects/labels.ts';

/** One pod of the cluster, with what Patroni says in its annotation and Kubernetes in its status. */
export interface MemberView {
  name: string;
  ordinal: number;
  uid: string;
  /** What Patroni says it does; undefined: it has not said anything yet. */
  role: 'primary' | 'standby' | undefined;
  /** Patroni's word: running, streaming, starting, creating replica, start failed … */
  state: string | undefined;
  timeline: number | undefined;
  /** Position in bytes of WAL: written by the primary, replayed or received by a standby. */
  position: number | undefined;
  pendingRestart: boolean;
  /** All that it waits for are decreases that the primary has to make first. */
  waitsForPrimary: boolean;
  /** Commits wait for it. */
  synchronous: boolean;
  /** Kubernetes sends it traffic: all its containers are ready. */
  ready: boolean;
  /** It serves: ready, and running as primary or streaming as standby. */
  well: boolean;
  /** It is being deleted. */
  terminating: boolean;
  /** Hash of the template it was made from. */
  templateHash: string | undefined;
  node: string | undefined;
  /** Why it does not start, in Kubernetes' words: ImagePullBackOff, CrashLoopBackOff, Unschedulable. */
  obstacle: { reason: string; message: string } | undefined;
  ip: string | undefined;
}

/** What Patroni keeps in its ConfigMaps and annotations, at one moment. */
export interface PatroniView {
  members: MemberView[];
  /** Who holds the leader key, if it was renewed lately; undefined: nobody, or nobody knows. */
  leader: string | undefined;
  /** The leader key is there and was not renewed for longer than its ttl. */
  stale: boolean;
  ttlSeconds: number;
  config: DynamicConfig | undefined;
  /** Version of the ConfigMap that `config` stands in. */
  configVersion: string | undefined;
  paused: boolean;
  /** A switchover is asked for and not done yet. */
  switchoverPending: boolean;
  /** The database was initialised once. */
  initialised: boolean;
}

export interface ViewInput {
  cluster: string;
  /** Annotation with the hash of the pod template. */
  hashAnnotation: string;
  pods: LiveObject[];
  configMaps: LiveObject[];
  /** Milliseconds since the leader key was last seen to be renewed; undefined: never seen. */
  renewedAgoMs: number | undefined;
}

const DEFAULT_TTL = 30;

/** Reads what Patroni and the kubelets have written. Nothing here is asked of a pod: it is all watched. */
export function viewOf(input: ViewInput): PatroniView {
  const part = (name: string) =>
    input.configMaps.find(map => map.metadata.name === `${input.cluster}-${name}`)?.metadata;
  const leaderKey = part('leader')?.annotations ?? {};
  const configKey = part('config');
  const sync = part('sync')?.annotations ?? {};
  const config = configOf(configKey?.annotations?.config);
  const ttlSeconds = Number(leaderKey.ttl) || config?.ttl || DEFAULT_TTL;
  const named = leaderKey.leader === '' ? undefined : leaderKey.leader;
  const stale = named !== undefined && (input.renewedAgoMs ?? Number.POSITIVE_INFINITY) > ttlSeconds * 1000;
  const leader = stale ? undefined : named;
  const synchronous = new Set((sync.sync_standby ?? '').split(',').map(name => name.trim()));
  const failover = part('failover')?.annotations ?? {};
  return {
    members: input.pods
      .map(pod => memberOf(pod, input, leader, synchronous))
      .filter(member => member !== undefined)
      .sort((a, b) => a.ordinal - b.ordinal),
    leader,
    stale,
    ttlSeconds,
    config,
    configVersion: configKey?.resourceVersion,
    paused: config?.pause === true,
    switchoverPending: Boolean(failover.leader ?? failover.member),
    initialised: configKey?.annotations?.initialize !== undefined,
  };
}

/** The primary: who holds the key and says that it is primary, in a pod that runs. */
export function primaryOf(view: PatroniView): MemberView | undefined {
  return view.members.find(member => member.name === view.leader && member.role === 'primary');
}

/** Only the renewal and the position differ: nothing to act on. Comes once a second and cluster. */
export function onlyHeartbeat(before: LiveObject, after: LiveObject): boolean {
  return JSON.stringify(calm(before)) === JSON.stringify(calm(after));
}

const RESTLESS = new Set(['renewTime', 'optime', 'slots', 'retain_slots', 'failsafe', FAULTS_RENEWED]);

function calm(object: LiveObject): unknown {
  const { resourceVersion: _version, annotations = {}, ...metadata } = object.metadata;
  const quiet = Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => !RESTLESS.has(key))
      .map(([key, value]) => [key, key === 'status' ? calmStatus(value) : value]),
  );
  return { ...object, metadata: { ...metadata, annotations: quiet } };
}

/** What cannot be understood counts as empty, as for Patroni itself: the operator writes it anew then. */
function configOf(text: string | undefined): DynamicConfig | undefined {
  if (text === undefined) return undefined;
  const { ttl, loop_wait, retry_timeout, ...rest } = parseObject(text) ?? {};
  const times = Object.entries({ ttl, loop_wait, retry_timeout }).filter(([, value]) =>
    Number.isFinite(value),
  );
  return { ...rest, ...Object.fromEntries(times) };
}

/** A member's status without its positions. */
function calmStatus(text: string): unknown {
  const status = parseObject(text);
  if (status === undefined) return text;
  return Object.entries(status).filter(([key]) => !/xlog_location|_lsn$|slots/.test(key));
}

interface PodStatus {
  phase?: string;
  podIP?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

interface ContainerStatus {
  name: string;
  ready?: boolean;
  state?: { waiting?: { reason?: string; message?: string } };
}

function memberOf(
  pod: LiveObject,
  { cluster, hashAnnotation }: ViewInput,
  leader: string | undefined,
  synchronous: ReadonlySet<string>,
): MemberView | undefined {
  const { name, uid, annotations = {}, deletionTimestamp } = pod.metadata;
  const ordinal = ordinalOf(cluster, name);
  if (ordinal === undefined) return undefined;
  const status = (pod.status ?? {}) as PodStatus;
  const said = parseObject(annotations.status) ?? {};
  const state = typeof said.state === 'string' ? said.state : undefined;
  const role = roleOf(said.role);
  const ready = status.conditions?.some(item => item.type === 'Ready' && item.status === 'True') === true;
  const terminating = deletionTimestamp !== undefined;
  const serves =
    role === 'primary'
      ? leader === name && state === 'running'
      : state === 'streaming' || (state === 'running' && said.replication_state === 'streaming');
  return {
    name,
    ordinal,
    uid,
    role,
    state,
    timeline: numberOf(said.timeline),
    position: numberOf(said.xlog_location) ?? numberOf(said.replay_lsn) ?? numberOf(said.receive_lsn),
    pendingRestart: said.pending_restart === true,
    waitsForPrimary: onlyDecreases(said.pending_restart_reason),
    synchronous: synchronous.has(name),
    ready,
    well: ready && serves && !terminating,
    terminating,
    templateHash: annotations[hashAnnotation],
    node: (pod.spec as { nodeName?: string } | undefined)?.nodeName,
    obstacle: obstacleOf(status),
    ip: status.podIP,
  };
}

/** Reasons that do not pass by waiting a little. */
const STUCK = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

function obstacleOf(status: PodStatus): MemberView['obstacle'] {
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  for (const { name, state } of containers) {
    const waiting = state?.waiting;
    if (waiting?.reason !== undefined && STUCK.has(waiting.reason))
      return { reason: waiting.reason, message: `container ${name}: ${waiting.message ?? waiting.reason}` };
  }
  const scheduled = status.conditions?.find(item => item.type === 'PodScheduled' && item.status === 'False');
  if (scheduled?.reason === 'Unschedulable')
    return { reason: 'Unschedulable', message: scheduled.message ?? 'no node takes it' };
  return undefined;
}

function onlyDecreases(reasons: unknown): boolean {
  if (typeof reasons !== 'object' || reasons === null) return false;
  const entries = Object.entries(reasons as Record<string, Partial<Record<string, unknown>> | null>);
  return (
    entries.length > 0 &&
    entries.every(
      ([name, reason]) => primaryFirst.has(name) && Number(reason?.new_value) < Number(reason?.old_value),
    )
  );
}

export function ordinalOf(cluster: string, pod: string): number | undefined {
  const text = pod.startsWith(`${cluster}-`) ? pod.slice(cluster.length + 1) : '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What a member has last written of itself on its pod. */
export function roleOnPod(pod: LiveObject | undefined): MemberView['role'] {
  return roleOf(parseObject(pod?.metadata.annotations?.status)?.role);
}

function roleOf(role: unknown): MemberView['role'] {
  if (role === 'primary' || role === 'master' || role === 'standby_leader') return 'primary';
  return role === 'replica' ? 'standby' : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  const value = parsedJson(text);
  return isRecord(value) ? value : undefined;
}
