import { dirname, join } from 'node:path';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';
import type { ClusterRef } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { decoded } from '../children/secrets.ts';
import { certificateSecretName } from '../objects/names.ts';

const LOOK_MS = 15_000;

/**
 * Path of a copy of the certificate of the cluster's authority below `directory`, as it is now. Rejects with a
 * RefusedError where the cluster has none yet.
 */
export async function authorityFile(
  client: KubeClient,
  { name, namespace }: ClusterRef,
  { kubernetes: { tls } }: Pick<ClusterSpec, 'kubernetes'>,
  directory: string,
): Promise<string> {
  const [secret, key] =
    tls === undefined
      ? [certificateSecretName(name), 'ca.crt']
      : [tls.caSecretName ?? tls.secretName, tls.caFile];
  const found = await client.get({ kind: 'Secret', namespace, name: secret }, AbortSignal.timeout(LOOK_MS));
  const text = key === undefined ? undefined : decoded(found, key);
  if (text === undefined) {
    throw new RefusedError({
      code: 'no-authority',
      message: `nobody says which authority signs the certificates of ${name}`,
      hint:
        key === undefined
          ? 'name its file in the manifest: tls.caFile'
          : `there is no ${key} in a Secret ${secret} in namespace ${namespace}`,
    });
  }
  const path = join(
    directory,
    client.connection.server.replaceAll(/[^\w.-]+/g, '_'),
    namespace,
    `${name}.crt`,
  );
  if ((await readIfExists(path)) !== text) {
    await ensureDirectory(dirname(path), { mode: 0o755 });
    await writeAtomically(path, text, { mode: 0o644 });
  }
  return path;
}
