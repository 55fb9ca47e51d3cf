import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import type { Desired } from '../../../core/plan/action.ts';
import type {
  ComponentObservation,
  EndpointObservation,
  MemberObservation,
  Observation,
} from '../../../core/topology/observation.ts';
import type { LiveObject } from '../api/kinds.ts';
import { POSTGRES_PORT, podName, poolerNames } from '../objects/names.ts';
import { wantedPoolers } from '../objects/pooler.ts';
import { type MemberView, type PatroniView, primaryOf } from '../patroni/view.ts';
import { addressOf, ENDPOINTS } from './addresses.ts';

export interface Seen {
  spec: ClusterSpec;
  namespace: string;
  view: PatroniView;
  services: LiveObject[];
  deployments: LiveObject[];
  /** An operator that watches the primary closely is alive. */
  operatorWatches: boolean;
  /** The DCS is the API server: it has answered all this. */
  now: Date;
}

/** What was seen on Kubernetes in the words that every command understands. */
export function observationOf(seen: Seen): Observation {
  const { spec, namespace, view, services, deployments, operatorWatches, now } = seen;
  return {
    observedAt: now.toISOString(),
    exists: true,
    stopped: spec.instances === 0,
    components: [...view.members.map(componentOf), ...poolersOf(spec, deployments)],
    members: view.members.map(member => memberOf(member, view)),
    dcs: { voters: 1, healthyVoters: 1 },
    config: view.config,
    catalog: undefined,
    endpoints: endpointsOf(spec, namespace, services),
    controlPlane: undefined,
    operatorWatches,
    version: { wanted: spec.version, actual: spec.version },
  };
}

function componentOf(member: MemberView): ComponentObservation {
  return {
    name: member.name,
    kind: 'member',
    running: member.state !== undefined && !member.terminating,
    since: undefined,
    outdated: 'no',
    differences: [],
  };
}

function poolersOf(spec: ClusterSpec, deployments: LiveObject[]): ComponentObservation[] {
  return Object.entries(poolerNames(spec.name)).flatMap(([endpoint, name]) => {
    const found = deployments.find(item => item.metadata.name === name);
    if (found === undefined) return [];
    const { readyReplicas = 0 } = (found.status ?? {}) as { readyReplicas?: number };
    const kind = endpoint === 'pooler' ? 'pooler' : 'poolerStandby';
    return [{ name, kind, running: readyReplicas > 0, since: undefined, outdated: 'no', differences: [] }];
  });
}

function memberOf(member: MemberView, view: PatroniView): MemberObservation {
  const primary = primaryOf(view);
  const isPrimary = member.name === primary?.name;
  const behind =
    primary?.position === undefined || member.position === undefined
      ? undefined
      : Math.max(0, primary.position - member.position);
  return {
    name: member.name,
    // Who holds no key is no primary, whatever it says.
    role: isPrimary ? 'primary' : member.role === 'standby' ? 'standby' : 'unknown',
    state: stateOf(member, isPrimary),
    timeline: member.timeline,
    lagBytes: isPrimary ? 0 : behind,
    replayLagBytes: isPrimary ? 0 : behind,
    lagSeconds: isPrimary || behind === 0 ? 0 : undefined,
    synchronous: member.synchronous,
    pendingRestart: member.pendingRestart,
    address: member.ip ?? '',
    port: POSTGRES_PORT,
    since: undefined,
    problem:
      member.obstacle === undefined ? undefined : `${member.obstacle.reason}: ${member.obstacle.message}`,
  };
}

function stateOf({ state, well, terminating }: MemberView, isPrimary: boolean): MemberObservation['state'] {
  if (terminating) return 'stopped';
  if (state === undefined) return 'lost';
  if (state === 'creating replica') return 'creating';
  if (state.includes('fail') || state === 'crashed') return 'failed';
  if (state === 'stopped' || state === 'stopping') return 'stopped';
  if (isPrimary && state === 'running') return 'running';
  if (well) return 'streaming';
  return state === 'running' ? 'running' : 'starting';
}

function endpointsOf(
  spec: ClusterSpec,
  namespace: string,
  services: LiveObject[],
): Partial<Record<EndpointName, EndpointObservation>> {
  return Object.fromEntries(
    ENDPOINTS.flatMap(endpoint => {
      const address = addressOf(spec, namespace, endpoint, services);
      return address === undefined ? [] : [[endpoint, { host: address.host, port: address.port }]];
    }),
  );
}

/** Every server that the manifest asks for; a pooler's pods are one. */
export function componentsOf(spec: ClusterSpec): Desired['components'] {
  const members = Array.from({ length: spec.instances }, (_, n) => podName(spec.name, n));
  const poolers = poolerNames(spec.name);
  return [
    ...members.map(name => ({ name, kind: 'member' as const })),
    ...wantedPoolers({ spec }).map(kind => ({ name: poolers[kind], kind })),
  ];
}
