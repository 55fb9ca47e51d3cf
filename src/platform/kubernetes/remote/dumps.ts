import { RefusedError } from '../../../lib/errors.ts';
import type { Dumps } from '../../contract.ts';
import { logicalBackupName } from '../objects/names.ts';

/** Dumps are written by a CronJob to a volume of its own, which no running pod has: they are not listed. */
export function remoteDumps(cluster: string): Dumps {
  const job = logicalBackupName(cluster);
  const refuse = async (): Promise<never> => {
    throw new RefusedError({
      code: 'not-on-kubernetes',
      message: 'dumps are made by a CronJob on Kubernetes',
      hint: `kubectl create job --from=cronjob/${job} ${job}-now`,
    });
  };
  return {
    async observe() {
      const directory = `the volume of CronJob ${job}, whose files are not listed here`;
      return { directory, fileSystem: undefined, freeBytes: undefined, problem: undefined, dumps: [] };
    },
    begin: refuse,
    check: refuse,
    remove: refuse,
  };
}
