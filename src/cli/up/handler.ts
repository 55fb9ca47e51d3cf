import { applyManifest } from '../../control/up.ts';
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import type { Step } from '../../core/plan/action.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { judge, type Verdict } from '../../core/topology/verdict.ts';
import type { ClusterRef, PlacementOptions, PlatformCluster } from '../../platform/contract.ts';
import { type Connection, defaultLogin } from '../connection.ts';
import { type Manifest, readManifest } from '../manifest.ts';
import type { Session } from '../session.ts';

export interface UpOptions extends PlacementOptions {
  lockWaitMs: number;
  timeoutMs: number;
}

export interface UpOutcome {
  ref: ClusterRef;
  manifest: Manifest;
  created: boolean;
  steps: Step[];
  observed: Observation;
  verdict: Verdict;
  /** How an application would connect, without the password; undefined where the cluster is stopped. */
  connection: Connection | undefined;
  secrets: { user: string; secret: string }[];
  notes: string[];
  durationMs: number;
}

/** Brings the cluster to what the manifest says, and gathers what its user needs next. */
export async function up(session: Session, file: string, options: UpOptions): Promise<UpOutcome> {
  const manifest = await readManifest(file, session.globals, session.surroundings);
  const { spec, text } = manifest;
  const { lockWaitMs, timeoutMs, ...placement } = options;
  const platform = await session.platform();
  const result = await applyManifest(platform, spec, text, placement, {
    ...session.context,
    lockWaitMs,
    timeoutMs,
    dryRun: false,
    onStep: (step, state, milliseconds) => session.progress.step(step.summary, state, milliseconds),
  });
  const cluster = session.scope.use(result.cluster);
  const { observed } = result;
  return {
    ref: cluster.ref,
    manifest,
    created: result.created,
    steps: result.steps,
    observed,
    verdict: judge(observed, spec),
    connection: await connectionOf(cluster, observed, spec),
    secrets: await secretsOf(cluster),
    notes: cluster.notes,
    durationMs: result.durationMs,
  };
}

async function connectionOf(
  cluster: PlatformCluster,
  observed: Observation,
  spec: ClusterSpec,
): Promise<Connection | undefined> {
  const name: EndpointName = observed.endpoints.pooler === undefined ? 'primary' : 'pooler';
  const address = observed.endpoints[name];
  if (address === undefined) return undefined;
  return {
    ...address,
    ...defaultLogin(spec, {}),
    password: undefined,
    caFile: await cluster.access.caFile(),
    sslmode: 'verify-full',
    transactionPooling: name === 'pooler' && spec.pooler.mode === 'transaction',
  };
}

async function secretsOf(cluster: PlatformCluster): Promise<{ user: string; secret: string }[]> {
  const users = await cluster.access.users();
  return Promise.all(
    users.map(async user => ({ user, secret: (await cluster.access.credentials(user)).secret })),
  );
}
