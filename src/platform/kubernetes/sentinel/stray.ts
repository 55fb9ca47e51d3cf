import { linkClient } from '../../../engine/postgres/link.ts';
import { roleOnPod } from '../patroni/view.ts';
import type { Post } from './post.ts';

const ANSWER_MS = 800;

/**
 * Whether a member takes writes, says its PostgreSQL, beside a Patroni that does not answer over the same network.
 * Rejects only when the signal aborts.
 */
export async function isStray(member: string, post: Post, signal: AbortSignal): Promise<boolean> {
  // A standby's Patroni has said so on its pod, and a new primary's: only who hangs has left there what it was.
  if (roleOnPod(post.pod(member)) !== 'primary') return false;
  if (!(await takesWrites(member, post))) return false;
  try {
    await post.patroni(member)?.status(signal, ANSWER_MS);
    return false;
  } catch {
    signal.throwIfAborted();
    return true;
  }
}

/** false: or nobody answers. */
async function takesWrites(member: string, post: Post): Promise<boolean> {
  const target = post.link(member);
  if (target === undefined) return false;
  const client = linkClient(target, `-c statement_timeout=${ANSWER_MS}`);
  client.on('error', () => {});
  const timer = setTimeout(() => void client.end().catch(() => {}), ANSWER_MS);
  try {
    await client.connect();
    const { rows } = await client.query('SELECT NOT pg_is_in_recovery() AS writable');
    return rows[0]?.writable === true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    void client.end().catch(() => {});
  }
}
