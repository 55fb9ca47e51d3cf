import { archiveUpToNow } from '../../../engine/postgres/archiveNow.ts';
import type { Restores } from '../../contract.ts';
import { primaryOf } from '../patroni/view.ts';
import { MEMBER_CONTAINER } from '../reconcile/act.ts';
import { refuse } from '../remote/refused.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import type { KubeBackupInput } from './input.ts';

export class KubeRestores implements Restores {
  readonly #input: KubeBackupInput;

  constructor(input: KubeBackupInput) {
    this.#input = input;
  }

  prepare = (): never => refuse('a restore');
  async archiveNow(signal: AbortSignal): Promise<boolean> {
    const { client, ref, look } = this.#input;
    const primary = primaryOf(await look(signal));
    if (primary === undefined) return false;
    const target = { namespace: ref.namespace, pod: primary.name, container: MEMBER_CONTAINER };
    try {
      await using session = await PsqlSession.open(client, target, 'postgres', signal);
      return await archiveUpToNow(session, signal);
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  restoreInto = (): never => refuse('a restore');
  async scratches() {
    return [];
  }
  open = (): never => refuse('a restore');
  async discard() {}
  swapIn = (): never => refuse('a cutover');
  async unfinishedSwap() {
    return undefined;
  }
  async sweep() {
    return [];
  }
  copyTables = (): never => refuse('a restore of single tables');
  loadDump = (): never => refuse('loading a dump');
  primarySession = (): never => refuse('a restore');
  nameDamage = (): never => refuse('a proof');
  checkSegment = (): never => refuse('a proof');
}
