import { describeChanges, diffConfig } from '../../../core/plan/configDiff.ts';
import type { DynamicConfig } from '../../../core/topology/observation.ts';
import { PgherdError } from '../../../lib/errors.ts';
import type { KubeClient } from '../api/client.ts';
import { type ExecTarget, exec } from '../api/exec.ts';
import { PATRONI_FILE } from '../objects/layout.ts';
import type { PatroniView } from './view.ts';

/** Patroni's own tool was asked for something and refused. */
export class PatroniRefusedError extends PgherdError {}

/** A restart ends with a checkpoint first; one that takes longer is left to itself and looked at again. */
const RESTART_MS = 110_000;

export interface DcsContext {
  client: KubeClient;
  namespace: string;
  cluster: string;
  /** Labels that Patroni finds its objects by. */
  labels: Record<string, string>;
  signal: AbortSignal;
}

/**
 * Patches Patroni's dynamic configuration where it stands: in its ConfigMap, only while that is the version we have
 * seen. Resolves with what was changed; undefined: nothing had to be, or there is none yet.
 */
export async function patchSettings(
  view: PatroniView,
  desired: DynamicConfig,
  { client, namespace, cluster, signal }: DcsContext,
): Promise<string | undefined> {
  if (view.config === undefined || view.configVersion === undefined) return undefined;
  const { patch, changes } = diffConfig(view.config, desired);
  if (changes.length === 0) return undefined;
  const config = JSON.stringify(merged(view.config, patch));
  const metadata = { resourceVersion: view.configVersion, annotations: { config } };
  await client.merge({ kind: 'ConfigMap', namespace, name: `${cluster}-config` }, { metadata }, signal);
  return describeChanges(changes);
}

/**
 * Asks for a switchover, in the words and at the place of Patroni's own interface: the primary's next round does it,
 * after all its checks, or drops the request. The new primary shows in what is watched.
 */
export async function askSwitchover(from: string, to: string, context: DcsContext): Promise<void> {
  const { client, namespace, cluster, labels, signal } = context;
  const name = `${cluster}-failover`;
  const metadata = { name, namespace, labels, annotations: { leader: from, member: to } };
  const live = await client.get({ kind: 'ConfigMap', namespace, name }, signal);
  if (live === undefined) {
    await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, signal);
    return;
  }
  const { resourceVersion } = live.metadata;
  await client.merge(
    { kind: 'ConfigMap', namespace, name },
    { metadata: { resourceVersion, annotations: metadata.annotations } },
    signal,
  );
}

/** Restarts PostgreSQL of a member through Patroni, and waits until it is up. */
export async function restartMember(
  target: ExecTarget,
  cluster: string,
  { client, signal }: Pick<DcsContext, 'client' | 'signal'>,
): Promise<void> {
  const command = ['patronictl', '-c', PATRONI_FILE, 'restart', cluster, target.pod, '--force'];
  const result = await exec(client, target, command, { timeoutMs: RESTART_MS, signal });
  if (result.code !== 0) {
    throw new PatroniRefusedError({
      code: 'restart-failed',
      message: `Patroni could not restart ${target.pod}`,
      detail: `${result.stdout}\n${result.stderr}`.trim().slice(-1000),
    });
  }
}

/** JSON merge patch (RFC 7386). */
export function merged(base: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof base === 'object' && base !== null && !Array.isArray(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
