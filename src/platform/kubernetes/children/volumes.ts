import { formatBytes, parseBytes } from '../../../core/manifest/quantity.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiForbiddenError, ApiInvalidError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { DATA_VOLUME } from '../objects/podVolumes.ts';
import type { Trouble } from '../status/compute.ts';

/** Name of a member's data volume, by that of its pod. */
export function claimName(pod: string): string {
  return `${DATA_VOLUME}-${pod}`;
}

/** Members whose volume was deleted: it is there until their pod is gone, or gone already. */
export function lostVolumes(
  claims: LiveObject[],
  members: readonly { name: string }[],
): Map<string, 'leaving' | 'gone'> {
  const byName = new Map(claims.map(claim => [claim.metadata.name, claim]));
  return new Map(
    members.flatMap(({ name }): [string, 'leaving' | 'gone'][] => {
      const claim = byName.get(claimName(name));
      if (claim === undefined) return [[name, 'gone']];
      return claim.metadata.deletionTimestamp === undefined ? [] : [[name, 'leaving']];
    }),
  );
}

/**
 * Asks for larger volumes where the manifest does; they are never made smaller. Resolves with what was done, and why it
 * cannot be where the class does not allow it (the server then answers 403 or 422).
 */
export async function growVolumes(
  claims: LiveObject[],
  wantedBytes: number,
  client: KubeClient,
  signal: AbortSignal,
): Promise<{ grown: string[]; trouble: Trouble | undefined }> {
  const grown: string[] = [];
  for (const claim of claims) {
    const { name, namespace } = claim.metadata;
    const has = requestOf(claim);
    if (has === undefined || has >= wantedBytes) continue;
    try {
      const patch = { spec: { resources: { requests: { storage: formatBytes(wantedBytes) } } } };
      await client.merge({ kind: 'PersistentVolumeClaim', namespace, name }, patch, signal);
      grown.push(name);
    } catch (error) {
      if (!(error instanceof ApiForbiddenError || error instanceof ApiInvalidError)) throw error;
      const message = `${name} cannot grow: ${error.detail ?? error.message}`;
      return { grown, trouble: { reason: 'VolumeNotExpandable', message } };
    }
  }
  return { grown, trouble: undefined };
}

function requestOf(claim: LiveObject): number | undefined {
  const spec = claim.spec as { resources?: { requests?: { storage?: string } } } | undefined;
  const text = spec?.resources?.requests?.storage;
  return text === undefined ? undefined : parseBytes(text);
}
