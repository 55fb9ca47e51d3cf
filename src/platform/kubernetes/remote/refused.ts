import { RefusedError } from '../../../lib/errors.ts';
import type { Sentinel } from '../../contract.ts';

export function refuse(what: string): never {
  throw new RefusedError({
    code: 'not-on-kubernetes',
    message: `${what} does not work on clusters on Kubernetes yet`,
    hint: 'change the manifest with kubectl, the operator does the rest; nothing was touched',
  });
}

/**
 * What a cluster on Kubernetes is not asked for by a command, each refused by its name: making, changing and removing are
 * the operator's, by the manifest; the rest is not there yet.
 */
export class Refused {
  /** No command waits for a step here. */
  async hasten(): Promise<void> {}
  record = async (): Promise<never> => refuse('changing a cluster by a command');
  provision = async (): Promise<never> => refuse('changing a cluster by a command');
  apply = async (): Promise<never> => refuse('changing a cluster by a command');
  guard = async (): Promise<never> => refuse('the resident control plane');
  heal = async (): Promise<never> => refuse('the resident control plane');
  remember = async (): Promise<never> => refuse('the resident control plane');
  sentinel: () => Sentinel = () => refuse('the sentinel');
  stop = async (): Promise<never> => refuse('stopping by a command (write numberOfInstances: 0)');
  destroy = async (): Promise<never> => refuse('deleting by a command (kubectl delete postgresql)');
}
