import { messageOf } from '../../lib/errors.ts';
import { withDeadline } from '../../lib/time.ts';
import type { ClusterRef, Platform } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { type StatusOutcome, statusOf } from '../status/handler.ts';

export interface ListedCluster {
  ref: ClusterRef;
  /** undefined: it could not be observed, for the reason in `problem`. */
  status: StatusOutcome | undefined;
  problem: string | undefined;
}

/** One cluster that hangs must not hide the others. */
const EACH_MS = 15_000;

/** Every cluster here with its status, all observed at once. */
export async function list(session: Session): Promise<ListedCluster[]> {
  const platform = await session.platform();
  const { namespace } = session.globals;
  const refs = (await platform.list(session.signal)).filter(
    ref => namespace === undefined || ref.namespace === namespace,
  );
  return Promise.all(refs.map(ref => look(session, platform, ref)));
}

async function look(session: Session, platform: Platform, ref: ClusterRef): Promise<ListedCluster> {
  const { signal } = session;
  using deadline = withDeadline(signal, `observing ${ref.name}`, EACH_MS);
  try {
    const cluster = session.scope.use(await platform.open(ref, deadline));
    return { ref, status: await statusOf(cluster, deadline), problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { ref, status: undefined, problem: messageOf(error) };
  }
}
