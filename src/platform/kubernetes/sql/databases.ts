import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { catalogChanges } from '../../../core/plan/catalog.ts';
import { changeCatalog, readCatalog, readVerifiers, setPassword } from '../../../engine/postgres/catalog.ts';
import { verifierMatches } from '../../../engine/postgres/scram.ts';
import type { KubeClient } from '../api/client.ts';
import type { ExecTarget } from '../api/exec.ts';
import { PsqlSession } from './psqlSession.ts';

export interface DatabasesContext {
  client: KubeClient;
  /** The primary's container. */
  target: ExecTarget;
  spec: ClusterSpec;
  /** Of every user that has a Secret. */
  passwords: ReadonlyMap<string, string>;
  signal: AbortSignal;
}

/**
 * Brings roles, passwords and databases to what manifest and Secrets say. A password that was changed in a Secret holds
 * from then on; the old one is not needed for it. Resolves with one sentence for each change.
 */
export async function syncDatabases(context: DatabasesContext): Promise<string[]> {
  const { client, target, spec, passwords, signal } = context;
  const connect = (database: string) => PsqlSession.open(client, target, database, signal);
  const lookup = { schema: spec.pooler.schema, user: spec.pooler.user };
  const done = await syncPasswords(context, connect);
  const changes = catalogChanges(spec, await readCatalog(connect, lookup));
  for (const change of changes) {
    await changeCatalog(change, {
      connect,
      password: async user => passwords.get(user) ?? '',
      lookup,
    });
    done.push(
      change.kind === 'role'
        ? `role ${change.user.name} was ${change.exists ? 'changed' : 'created'}`
        : change.kind === 'database'
          ? `database ${change.database.name} was ${change.exists ? 'given to its owner' : 'created'}`
          : change.kind === 'prepared-database'
            ? `database ${change.database.name} was completed`
            : `the pooler's lookup was installed in database ${change.database}`,
    );
  }
  return done;
}

/** Compares verifiers, so that nobody has to remember which password was set when. */
async function syncPasswords(
  { passwords }: DatabasesContext,
  connect: (database: string) => Promise<PsqlSession>,
): Promise<string[]> {
  await using session = await connect('postgres');
  const verifiers = await readVerifiers(session);
  const done: string[] = [];
  for (const [user, password] of passwords) {
    // Roles that do not exist yet are made with their password.
    if (!verifiers.has(user) || verifierMatches(password, verifiers.get(user) ?? '')) continue;
    await setPassword(session, user, password);
    done.push(`the password of ${user} was set to the one in its Secret`);
  }
  return done;
}
