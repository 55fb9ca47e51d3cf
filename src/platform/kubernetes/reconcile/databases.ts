import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { SqlError } from '../../../engine/postgres/connection.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { Passwords } from '../children/secrets.ts';
import { hashOf } from '../objects/hash.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { type PatroniView, primaryOf } from '../patroni/view.ts';
import { syncDatabases } from '../sql/databases.ts';
import type { Trouble } from '../status/compute.ts';
import type { Tools } from './context.ts';

/** Roles and databases are compared this often although neither manifest nor Secrets changed. */
const DATABASES_MS = 10 * 60_000;
/** So often in a row a primary may be away before that is worth a word. */
const PASSING_FAILURES = 5;

/**
 * Brings roles, passwords and databases to what is wanted. Only when something they depend on has changed, or after a
 * while: it has to ask the primary.
 */
export async function lookAtDatabases(
  cluster: LiveObject,
  spec: ClusterSpec,
  view: PatroniView,
  passwords: Passwords,
  { reconciler, memory, signal }: Tools,
): Promise<{ settled: boolean; failure: Trouble | undefined }> {
  const primary = primaryOf(view);
  if (primary?.well !== true) return { settled: spec.instances === 0, failure: undefined };
  const fingerprint = hashOf([memory.parsed?.version, [...passwords.byUser], primary.uid]);
  const known = memory.databases;
  if (
    known !== undefined &&
    known.fingerprint === fingerprint &&
    performance.now() - known.at < DATABASES_MS
  ) {
    return { settled: true, failure: undefined };
  }
  const { client, record } = reconciler;
  const target = {
    namespace: cluster.metadata.namespace ?? 'default',
    pod: primary.name,
    container: MEMBER_CONTAINER,
  };
  try {
    const done = await syncDatabases({ client, target, spec, passwords: passwords.byUser, signal });
    for (const message of done) {
      await record(cluster, { type: 'Normal', reason: 'DatabaseChanged', message }, signal);
    }
  } catch (error) {
    signal.throwIfAborted();
    memory.databaseFailures += 1;
    // It went away meanwhile; whoever is primary then is asked again.
    const passing = memory.databaseFailures < PASSING_FAILURES;
    if (
      passing &&
      (!(error instanceof SqlError) || error.sqlstate === undefined || /^(08|57)/.test(error.sqlstate))
    ) {
      return { settled: false, failure: undefined };
    }
    const { reason, message } = { reason: 'DatabaseFailed', message: messageOf(error) };
    await record(cluster, { type: 'Warning', reason, message }, signal);
    return { settled: false, failure: { reason, message } };
  }
  memory.databaseFailures = 0;
  memory.databases = { fingerprint, at: performance.now() };
  return { settled: true, failure: undefined };
}
