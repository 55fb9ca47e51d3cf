import { Conversation } from '../api/conversation.ts';
import type { ExecTarget } from '../api/exec.ts';
import { DATA_DIRECTORY } from '../objects/layout.ts';
import { GONE_SCRIPT } from '../poolers/script.ts';
import { takeKey } from './leaderKey.ts';
import type { DcsContext } from './write.ts';

/** A shutdown writes all that is dirty. */
const GONE_MS = 120_000;

/**
 * The quick end of a planned move: once PostgreSQL is shut down, Patroni of the old primary sleeps for a second before it
 * gives the key back. Who is named in /sync has every acknowledged write already (core/failover/SPEC.md, A1 to A5).
 */
export async function handOn(target: ExecTarget, context: DcsContext): Promise<string[]> {
  const { client, signal } = context;
  const member = target.pod;
  await using shell = await Conversation.open(client, target, GONE_SCRIPT, [DATA_DIRECTORY], signal);
  const close = () => void shell[Symbol.asyncDispose]();
  signal.addEventListener('abort', close, { once: true });
  try {
    await shell.ask('gone', GONE_MS);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', close);
  }
  let heirs: string[] = [];
  const taken = await takeKey(({ key, sync }) => {
    heirs = sync?.leader === member ? sync.standbys : [];
    return key?.holder === member && heirs.length > 0;
  }, context);
  return taken ? heirs : [];
}
