import { RefusedError } from '../../../lib/errors.ts';
import type { Backups, Sentinel } from '../../contract.ts';

function refuse(what: string): never {
  throw new RefusedError({
    code: 'not-on-kubernetes',
    message: `${what} does not work on clusters on Kubernetes yet`,
    hint: 'change the manifest with kubectl, the operator does the rest; nothing was touched',
  });
}

const noBackups = (): never => refuse('pgBackRest');

const NO_BACKUPS: Backups = {
  repositories: [],
  observe: noBackups,
  archiver: async () => undefined,
  provision: noBackups,
  backup: noBackups,
  expire: noBackups,
  lock: noBackups,
  readKey: noBackups,
  noteKeySaved: noBackups,
  importKey: noBackups,
  memory: { read: noBackups, write: noBackups },
};

/**
 * What a cluster on Kubernetes is not asked for by a command, each refused by its name: making, changing and removing are
 * the operator's, by the manifest; the rest is not there yet.
 */
export class Refused {
  record = (): never => refuse('changing a cluster by a command');
  provision = (): never => refuse('changing a cluster by a command');
  apply = (): never => refuse('changing a cluster by a command');
  hasten = (): never => refuse('changing a cluster by a command');
  guard = (): never => refuse('the resident control plane');
  heal = (): never => refuse('the resident control plane');
  remember = (): never => refuse('the resident control plane');
  sentinel: () => Sentinel = () => refuse('the sentinel');
  stop = (): never => refuse('stopping by a command (write numberOfInstances: 0)');
  destroy = (): never => refuse('deleting by a command (kubectl delete postgresql)');

  readonly backups: Backups = NO_BACKUPS;

  get restores(): never {
    return refuse('a restore');
  }

  get dumps(): never {
    return refuse('a dump by a command');
  }
}
