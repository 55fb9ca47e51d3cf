/** Who takes writes now, asked on each member's own host: over Unix sockets it costs next to nothing to ask often. */
import { DeadlineError } from '../../lib/errors.ts';
import { sleep } from '../../lib/time.ts';
import { insideTarget } from './access.ts';
import { componentKind, type Paths } from './layout.ts';
import { connectInside } from './primarySql.ts';
import type { ClusterRecord } from './record.ts';
import { listServices } from './runit.ts';

const ASK_EVERY_MS = 15;
const RETRY_MS = 100;
const ANSWER_MS = 1_000;

/** Waits until a member other than `than` is out of recovery. Rejects with DeadlineError. */
export async function awaitOtherPrimary(
  paths: Paths,
  record: ClusterRecord,
  than: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<string> {
  const services = await listServices(paths.services);
  const members = services.filter(name => componentKind(name) === 'member' && name !== than);
  const found = new AbortController();
  const until = AbortSignal.any([signal, found.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await Promise.any(members.map(member => untilPrimary(paths, record, member, until)));
  } catch {
    signal.throwIfAborted();
    throw new DeadlineError('another member to take writes', timeoutMs);
  } finally {
    found.abort();
  }
}

/** Rejects only when the signal aborts. */
async function untilPrimary(
  paths: Paths,
  record: ClusterRecord,
  member: string,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      await using session = await connectInside(insideTarget(record, paths, member), signal, ANSWER_MS);
      for (;;) {
        const [row] = await session.query('SELECT pg_is_in_recovery() AS recovering');
        if (row?.recovering === false) return member;
        await sleep(ASK_EVERY_MS, signal);
      }
    } catch {
      signal.throwIfAborted();
      await sleep(RETRY_MS, signal);
    }
  }
}
