import { UnreachableError } from '../../lib/http.ts';
import type { ClientPool } from './clients.ts';
import { VOTERS } from './layout.ts';

/** Value of the leader key, from the first voter that answers with a quorum behind it. */
export async function readLeader(
  key: string,
  clients: ClientPool,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answers = Array.from({ length: VOTERS }, async (_, n) => {
    const keys = await clients.etcd(`etcd-${n}`).readPrefix(key, signal);
    return keys.find(pair => pair.key === key)?.value;
  });
  try {
    return await Promise.any(answers);
  } catch (cause) {
    signal.throwIfAborted();
    throw new UnreachableError({
      code: 'dcs-unreachable',
      message: 'no voter of etcd answers with a quorum behind it',
      cause,
    });
  }
}
