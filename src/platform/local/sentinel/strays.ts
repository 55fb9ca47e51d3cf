/** Whether a member takes writes, by the word of its own host, beside a Patroni that does not answer. */
import { answersTo } from '../../../lib/reach.ts';
import { insideTarget } from '../access.ts';
import type { ClientPool } from '../clients.ts';
import { memberAddress, ordinalOf, type Paths } from '../layout.ts';
import { connectInside } from '../primarySql.ts';
import type { ClusterRecord } from '../record.ts';

const ANSWER_MS = 800;

interface Means {
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
}

/** Whoever is on a host that nothing reaches could not tell us anything. Rejects only when the signal aborts. */
export async function isStray(
  member: string,
  { paths, record, clients }: Means,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await using session = await connectInside(insideTarget(record, paths, member), signal, ANSWER_MS);
    const [row] = await session.query('SELECT pg_is_in_recovery() AS recovering');
    if (row?.recovering !== false) return false;
  } catch {
    signal.throwIfAborted();
    return false;
  }
  if (!(await answersTo(memberAddress(record, ordinalOf(member)), record.port))) return false;
  try {
    await clients.patroni(member).status(signal, ANSWER_MS);
    return false;
  } catch {
    signal.throwIfAborted();
    return true;
  }
}
