import type { ApplyContext } from '../children/apply.ts';
import { readBuckets } from '../children/backupKeys.ts';
import {
  type BackupKeys,
  backupConfig,
  hostConfig,
  type KubeObject,
  type ObjectsInput,
} from '../objects/index.ts';
import { wantsRepositoryHost } from '../objects/repositories.ts';
import type { Trouble } from '../status/compute.ts';

/** What the pods need of the backups: the files with secrets, of which the operator alone knows all. */
export async function backupSecrets(
  input: ObjectsInput,
  keys: BackupKeys | undefined,
  context: ApplyContext,
): Promise<{ secrets: KubeObject[]; trouble: Trouble | undefined }> {
  if (keys === undefined) return { secrets: [], trouble: undefined };
  const { buckets, problems } = await readBuckets(input.spec, input.owner.namespace, context);
  const secrets = [
    backupConfig(input, keys, buckets),
    ...(wantsRepositoryHost(input.spec) ? [hostConfig(input, keys)] : []),
  ];
  const [message] = problems;
  return { secrets, trouble: message === undefined ? undefined : { reason: 'BackupCredentials', message } };
}
