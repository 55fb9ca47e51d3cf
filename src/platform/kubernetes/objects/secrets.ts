import { preparedRoles } from '../../../core/manifest/sections/preparedDatabases.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { desiredUsers } from '../../../core/plan/catalog.ts';
import { POOLER_ADMIN } from '../../../engine/pgbouncer/config.ts';
import type { OperatorConfig } from '../config.ts';
import { credentialsName } from './names.ts';

/** `control`: PgBouncer's console, for the operator alone; it is no role of PostgreSQL. */
export type SecretPurpose = 'superuser' | 'replication' | 'pooler' | 'control' | 'role';

export interface SecretWanted {
  name: string;
  namespace: string;
  username: string;
  purpose: SecretPurpose;
}

/**
 * The Secrets of all users who log in, with keys `username` and `password`. They hold what cannot be made again, so
 * who makes them never overwrites one that exists: people put passwords of their own there beforehand.
 */
export function secretsWanted(spec: ClusterSpec, config: OperatorConfig): SecretWanted[] {
  const pooled = spec.pooler.primary || spec.pooler.standby;
  const elsewhere = namespacesOfUsers(spec);
  return [...desiredUsers(spec), ...(pooled ? [POOLER_ADMIN] : [])].map(username => ({
    name: credentialsName(config.secretNameTemplate, spec.name, username),
    namespace: elsewhere.get(username) ?? spec.namespace,
    username,
    purpose: purposeOf(spec, username),
  }));
}

function purposeOf(spec: ClusterSpec, username: string): SecretPurpose {
  if (username === 'postgres') return 'superuser';
  if (username === 'standby') return 'replication';
  if (username === POOLER_ADMIN) return 'control';
  return username === spec.pooler.user ? 'pooler' : 'role';
}

function namespacesOfUsers(spec: ClusterSpec): Map<string, string> {
  return new Map(
    spec.preparedDatabases.flatMap(database => {
      const namespace = spec.kubernetes.secretNamespaces[database.name];
      if (namespace === undefined) return [];
      return preparedRoles(database).map(role => [role.name, namespace] as const);
    }),
  );
}
