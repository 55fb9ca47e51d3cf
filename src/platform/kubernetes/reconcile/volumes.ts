import { parseBytes } from '../../../core/manifest/quantity.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { LiveObject } from '../api/kinds.ts';
import { claimName, growVolumes } from '../children/volumes.ts';
import type { Trouble } from '../status/compute.ts';
import type { Reconciler } from './context.ts';

/** Data volumes of the members. */
export function dataVolumes(cluster: LiveObject, { watched }: Reconciler): LiveObject[] {
  const { name, namespace } = cluster.metadata;
  return watched
    .children('PersistentVolumeClaim', `${namespace}/${name}`)
    .filter(claim => claim.metadata.name.startsWith(claimName(`${name}-`)));
}

/** Asks for larger volumes where the manifest does. Resolves with why that cannot be. */
export async function syncVolumes(
  cluster: LiveObject,
  spec: ClusterSpec,
  reconciler: Reconciler,
  signal: AbortSignal,
): Promise<Trouble | undefined> {
  const claims = dataVolumes(cluster, reconciler);
  const { grown, trouble } = await growVolumes(claims, spec.volume.sizeBytes, reconciler.client, signal);
  for (const name of grown) {
    const message = `${name} was asked to grow`;
    await reconciler.record(cluster, { type: 'Normal', reason: 'VolumeGrows', message }, signal);
  }
  return trouble;
}

interface Claim {
  spec?: { resources?: { requests?: { storage?: string } } };
  status?: {
    capacity?: { storage?: string };
    conditions?: { type: string; status: string; message?: string }[];
  };
}

/** What a volume that was asked to grow waits for, in its own words; undefined: all are as large as was asked. */
export function growing(claims: LiveObject[]): string | undefined {
  for (const claim of claims) {
    const { spec, status } = claim as Claim;
    const [asked, has] = [spec?.resources?.requests?.storage, status?.capacity?.storage];
    if (asked === undefined || has === undefined || (parseBytes(has) ?? 0) >= (parseBytes(asked) ?? 0))
      continue;
    const said = status?.conditions?.find(
      ({ type, status: holds }) => /Resiz/.test(type) && holds === 'True',
    );
    const why = said === undefined ? '' : ` (${said.type}${said.message ? `: ${said.message}` : ''})`;
    return `${claim.metadata.name} has ${has} and was asked to grow${why}`;
  }
  return undefined;
}
